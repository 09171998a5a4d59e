/** `roslin restore`: a backup into an empty workspace. */
import { Command } from 'commander';
import { ResourceError } from '../errors.ts';
import { count, print, printJson, sanitise } from './terminal.ts';
import { WORKSPACE } from './up.ts';

export function command(): Command {
  return new Command()
    .argument('<file>', 'that "roslin backup" wrote')
    .option('--workspace <folder>', 'of the studio; empty or new', WORKSPACE)
    .option('--json', 'print one JSON object')
    .action(async (file: string, flags: { readonly workspace: string; readonly json?: boolean }) => {
      const [{ openWorkspace }, { restore }] = await Promise.all([import('../store/workspace.ts'), import('../store/restore.ts')]);
      await using workspace = await openWorkspace(flags.workspace);
      if (workspace.cluster && !(await workspace.cluster.tryServe())) throw new ResourceError({ expected: 'a workspace that nobody serves', found: 'a studio that runs on it', where: flags.workspace, remedy: 'Give a new --workspace, or stop that studio if it is empty.' });
      const done = await restore(workspace.store, workspace.folder, file);
      if (flags.json) printJson({ workspace: flags.workspace, ...done });
      else print(`${sanitise(flags.workspace)}: ${count(done.rows)} rows, ${count(done.files)} files of datasets. Everybody signs in again.`);
    });
}
