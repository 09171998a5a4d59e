/**
 * Ctrl-C and `kill`: a verb that can stop tidily asks for a signal and is given time; any other ends at once. Either way
 * the exit code is 130. A second Ctrl-C never waits.
 */
let interrupted = false;
let tidy: AbortController | undefined;

/** Whether Ctrl-C was pressed while a verb was stopping tidily. */
export function wasInterrupted(): boolean {
  return interrupted;
}

/** Aborted on Ctrl-C. From the first call on, the verb is expected to end by itself soon after. */
export function interruptSignal(): AbortSignal {
  tidy ??= new AbortController();
  return tidy.signal;
}

/** Installs the handlers; run.ts does it once. */
export function watchInterrupts(): void {
  const stop = () => {
    if (!tidy || interrupted) process.exit(130);
    interrupted = true;
    tidy.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}
