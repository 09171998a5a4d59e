/**
 * Runs one verb of the command line: parses, loads the verb's file, and turns every end into an exit code: 0 done, 1 failed,
 * 2 wrong use, 130 after Ctrl-C. With --json a failure too is one JSON object on standard output. Knows no verb by name.
 */
import { Command, CommanderError } from 'commander';
import { VERSION } from '../artefacts/version.ts';
import { RoslinError } from '../errors.ts';
import { wasInterrupted, watchInterrupts } from './interrupt.ts';
import { sanitise } from './terminal.ts';

export interface Verb {
  readonly summary: string;
  /** Whether the verb computes with the engine. */
  readonly engine?: true;
  load(): Promise<{ command(): Command }>;
}

/** Runs `argv` (without node and the script); resolves to the exit code and never rejects. */
export async function run(argv: readonly string[], verbs: Readonly<Record<string, Verb>>): Promise<number> {
  surviveClosedPipes();
  watchInterrupts();
  const json = argv.includes('--json');
  try {
    const program = await build(argv, verbs);
    if (argv.every((word) => word === '--json')) {
      if (!json) program.outputHelp({ error: true });
      throw new CommanderError(2, 'roslin.noVerb', 'no verb given; "roslin --help" lists them');
    }
    await program.parseAsync([...argv], { from: 'user' });
    return wasInterrupted() ? 130 : numericExitCode();
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (wasInterrupted()) return 130;
    const failure = explain(error);
    process.stderr.write(`${failure.text}\n`);
    if (json) process.stdout.write(`${JSON.stringify({ error: failure.error })}\n`);
    return failure.exitCode;
  }
}

/** A verb may set process.exitCode itself, e.g. `doctor` when something is missing. */
function numericExitCode(): number {
  return Number(process.exitCode ?? 0);
}

async function build(argv: readonly string[], verbs: Readonly<Record<string, Verb>>): Promise<Command> {
  const program = new Command('roslin')
    .description('Make your own instruction-following language model, and keep all of it.')
    .version(VERSION, '--version', 'print the version')
    .helpOption('-h, --help', 'what can be done here; after a verb: its options')
    .helpCommand(false)
    .usage('<verb> [options]')
    // What follows a verb within a verb is for its own flags, which may have the same names.
    .enablePositionalOptions()
    .exitOverride()
    // Errors come back as exceptions and are printed once, in run().
    .configureOutput({ writeErr: (text) => void process.stderr.write(text), outputError: () => {} });
  const wanted = argv.find((word) => !word.startsWith('-'));
  for (const [name, verb] of Object.entries(verbs)) {
    if (name !== wanted) {
      program.command(name).description(verb.summary);
      continue;
    }
    if (verb.engine && !argv.includes('--help') && !argv.includes('-h')) await ensureEngine();
    program.addCommand(inherit((await verb.load()).command().name(name).description(verb.summary), program));
  }
  return program;
}

/** addCommand does not hand settings down as command() does. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inherit(child as Command, command);
  return command;
}

/** Fetches ONNX Runtime where it is missing, with a word about it. */
export async function ensureEngine(): Promise<void> {
  const { installOrt, locateOrt } = await import('../engine/runtime/ort.ts');
  if (locateOrt() !== undefined) return;
  process.stderr.write('Fetching ONNX Runtime from the npm registry (once, about 110 MB) …\n');
  installOrt();
}

interface Failure {
  readonly text: string;
  readonly error: Record<string, unknown>;
  readonly exitCode: 1 | 2;
}

/** What a person is told about an error: its message, and for our own faults how to report them. */
export function explain(error: unknown): Failure {
  const debug = process.env['ROSLIN_DEBUG'] === '1';
  if (error instanceof CommanderError) {
    // Commander prints the help of a verb that needs another word, and says no more.
    const message = error.code === 'commander.help' ? 'one of these commands is needed' : error.message.replace(/^error: /, '');
    return { text: `roslin: ${sanitise(message)}`, error: { name: 'UsageError', message }, exitCode: 2 };
  }
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const trace = debug ? `\n${stack ?? ''}` : '';
  if (error instanceof RoslinError) {
    return { text: `roslin: ${sanitise(message)}${trace}`, error: { name, message, ...error.parts }, exitCode: error.exitCode };
  }
  const text = `roslin: ${sanitise(message)}${trace}`;
  if (isKnownTrouble(error)) return { text, error: { name, message }, exitCode: 1 };
  const report = 'This looks like a fault in Roslin. Please report it with the command, what ROSLIN_DEBUG=1 prints before it, and "roslin doctor --json".';
  return { text: `roslin: ${sanitise(name)}: ${sanitise(message)}${trace}\n${report}`, error: { name, message, report }, exitCode: 1 };
}

/** Trouble of the machine rather than a fault of ours: a system call refused (disk full, no permission), or the engine's own message. */
function isKnownTrouble(error: unknown): boolean {
  return error instanceof Error && (error.name === 'EngineError' || typeof (error as NodeJS.ErrnoException).syscall === 'string');
}

/** `roslin … | head` closes our output early: that is no error. A closed standard error only loses progress lines. */
function surviveClosedPipes(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
