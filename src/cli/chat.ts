/**
 * `roslin chat`: questions and answers in the terminal, the model opened once. Each question stands alone: what was said before is not
 * part of the next prompt. Ctrl-C ends an answer; at the prompt it ends the chat, as Ctrl-D does.
 */
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { bar, Progress } from './progress.ts';
import { resolve } from './resolve.ts';
import { addSamplingOptions, samplingOf, seedOf, type SamplingFlags } from './sampling-options.ts';
import { note, painter, sanitise } from './terminal.ts';

const HELP = `Type an instruction and Enter. Each stands alone. Ctrl-C ends an answer.
/context TEXT  a text to answer from; /context alone forgets it
/retry         the last one again
/help  /exit   this, and leaving (Ctrl-D too)`;

export function command(): Command {
  return addSamplingOptions(new Command()).action(async (flags: SamplingFlags) => {
    const { path } = await resolve(flags.model, 'model', flags);
    const { Answerer } = await import('../inference/answer.ts');
    using progress = new Progress();
    progress.update(`opening ${sanitise(flags.model)} ${bar(0)}`);
    const answerer = await Answerer.open({ model: path, base: flags.base, template: flags.template, threads: flags.threads });
    progress.finish('');
    const paint = painter(process.stderr);
    const terminal = process.stdin.isTTY === true;
    const lines = createInterface({ input: process.stdin, output: terminal ? process.stderr : undefined, prompt: paint('bold', '> '), terminal, historySize: 200 });
    let answering: AbortController | undefined;
    lines.on('SIGINT', () => (answering ? answering.abort() : lines.close()));
    note(`${sanitise(flags.model)}, template ${answerer.model.template.name}\n${HELP}`);
    let closed = false;
    lines.on('close', () => (closed = true));
    // Lines that were read ahead are still answered after the end of the input, where there is nobody to be asked.
    const prompt = () => void (closed || lines.prompt());
    let context = '';
    let last = '';
    let asked = 0;
    prompt();
    for await (const line of lines) {
      const [, name, rest = ''] = /^\/(\w*)\s*(.*)$/s.exec(line.trim()) ?? [];
      if (name === 'exit' || name === 'quit') break;
      if (name === 'context') {
        context = rest;
        note(context ? 'kept for the questions to come' : 'forgotten');
      } else if (name === 'help' || (name !== undefined && name !== 'retry')) note(HELP);
      else if (line.trim() !== '' && !(name === 'retry' && last === '')) {
        if (name !== 'retry') last = line.trim();
        answering = new AbortController();
        await answer(last);
        answering = undefined;
      }
      prompt();
    }
    lines.close();
    await answerer.release();

    async function answer(instruction: string): Promise<void> {
      // The same seed gives the same conversation, and each question draws anew.
      const seed = seedOf(flags) + asked++;
      try {
        const pieces = answerer.ask({ instruction, context, maxNewTokens: flags.maxNewTokens, sampling: samplingOf(flags), seed, signal: answering!.signal });
        let next = await pieces.next();
        for (; !next.done; next = await pieces.next()) process.stdout.write(sanitise(next.value));
        process.stdout.write('\n');
        const { tokens, tokens_per_second: rate, stopped } = next.value;
        if (terminal) note(paint('dim', `${tokens} tokens, ${rate.toFixed(0)} a second${stopped ? '' : '; cut'}`));
      } catch (error) {
        // A prompt that is too long is no reason to lose the session.
        note(`roslin: ${sanitise(error instanceof Error ? error.message : String(error))}`);
      }
    }
  });
}
