/** A training run as it goes: progress with an estimate, losses, and a curve at the end. */
import type { TrainEvent } from '../train/events.ts';
import { plot, sparkline } from './plot.ts';
import { bar, Progress } from './progress.ts';
import { bytes, count, duration, note, painter, sanitise } from './terminal.ts';

const paint = painter(process.stderr);

/** Columns of the curve beside the progress. */
const CURVE = 16;

export class TrainView {
  readonly #progress = new Progress();
  readonly #losses: number[] = [];
  /** Whether documents are learnt, and not responses. */
  #text = false;

  show(event: TrainEvent): void {
    switch (event.type) {
      case 'prepared': {
        this.#text = event.template === 'text';
        const share = Math.round((100 * event.labels) / event.tokens);
        note(`${paint('bold', `${count(event.parameters)} parameters`)}, ${count(event.trainable)} of them trained; template ${event.template}`);
        note(`${event.trainRows} rows to train on (${count(event.tokens)} tokens, ${share} % of them trained), ${event.heldOutRows} held out, ${event.steps} updates`);
        note(`licence verdict: ${event.verdict === 'clear' ? event.verdict : paint('yellow', event.verdict)}${event.verdict === 'unknown' ? '; --licence tells the licence of the data' : ''}`);
        if (event.verdict === 'unknown' || event.verdict === 'tainted') for (const reason of event.reasons) note(paint('yellow', `  ${sanitise(reason)}`));
        if (event.dropped.length > 0) note(paint('yellow', `${event.dropped.length} rows are too long and left out: lines ${lines(event.dropped)}`));
        if (event.cut.length > 0) note(paint('yellow', `${event.cut.length} rows have a shortened context: lines ${lines(event.cut)}`));
        if (event.steps < 30) note(paint('yellow', `only ${event.steps} update${event.steps === 1 ? '' : 's'}: fewer than 30 seldom teach much`));
        if (event.resumedAt > 0) note(`resumed after update ${event.resumedAt}`);
        return;
      }
      case 'evaluating':
        return this.#progress.update(`held-out rows ${event.done} of ${event.of}`);
      case 'evaluated':
        return this.#progress.note(`${paint('cyan', 'held out')} after update ${event.step}: loss ${event.report.loss.toFixed(4)} a ${this.#text ? '' : 'response '}token, stop ${event.report.stop_loss.toFixed(4)}`);
      case 'step': {
        this.#losses.push(event.loss);
        const rate = Math.round(event.tokens / event.seconds);
        return this.#progress.update(`${bar(event.step / event.steps)} ${event.step}/${event.steps}  loss ${event.loss.toFixed(3)} ${sparkline(smooth(this.#losses), CURVE)}  ${rate} tokens/s  ${bytes(event.memory)}  ${duration(event.secondsLeft)} left`);
      }
      case 'checkpoint':
        return this.#progress.note(paint('dim', `checkpoint at update ${event.step}`));
      case 'stopped':
        return this.#progress.finish(`stopped after update ${event.step}; go on with the same command and --resume`);
      case 'done': {
        this.#progress.finish('');
        if (this.#losses.length > 4) note(plot(smooth(this.#losses)));
        const { held_out: heldOut, seconds, steps } = event.result;
        note(`${steps} updates in ${duration(seconds)}`);
        if (heldOut) note(`held-out loss ${heldOut.before.toFixed(4)} → ${paint('bold', heldOut.after.toFixed(4))}`);
      }
    }
  }
}

const lines = (rows: readonly { line: number }[]) => rows.slice(0, 8).map((r) => r.line).join(', ') + (rows.length > 8 ? ', …' : '');

/** Mean of each loss and up to four before it: single updates jump. */
const smooth = (values: readonly number[]) => values.map((_, i) => {
  const window = values.slice(Math.max(0, i - 4), i + 1);
  return window.reduce((a, b) => a + b, 0) / window.length;
});
