/** `roslin backup`: everything of a studio as one file, also while it runs. */
import { Command } from 'commander';
import { count, print, printJson, sanitise } from './terminal.ts';
import { WORKSPACE } from './up.ts';

export function command(): Command {
  return new Command()
    .argument('<file>', 'a new file, such as studio-2026-11-25.roslin')
    .option('--workspace <folder>', 'of the studio', WORKSPACE)
    .option('--json', 'print one JSON object')
    .action(async (file: string, flags: { readonly workspace: string; readonly json?: boolean }) => {
      const [{ openWorkspace }, { backup }] = await Promise.all([import('../store/workspace.ts'), import('../store/backup.ts')]);
      await using workspace = await openWorkspace(flags.workspace);
      const done = await backup(workspace.store, workspace.folder, file);
      if (flags.json) printJson({ file, ...done });
      else print(`${sanitise(file)}: ${count(done.rows)} rows, ${count(done.files)} files of datasets. It holds hashes of passwords: keep it as safe as the studio.`);
    });
}
