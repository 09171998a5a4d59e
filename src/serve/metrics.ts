/** Counts and times, in the text format that Prometheus reads (version 0.0.4). */

type Labels = Readonly<Record<string, string>>;

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  lines(): string[];
}

const escape = (text: string) => text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
const series = (name: string, labels: Labels) => {
  const pairs = Object.entries(labels).map(([k, v]) => `${k}="${escape(v)}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
};

/** Label values must come from a closed set: what clients write would make series without end. */
class Counter implements Metric {
  readonly type = 'counter';
  readonly name: string;
  readonly help: string;
  readonly #values = new Map<string, number>();

  constructor(name: string, help: string) {
    this.name = name;
    this.help = help;
  }

  add(labels: Labels = {}, n = 1): void {
    const key = series(this.name, labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + n);
  }

  lines(): string[] {
    return [...this.#values].map(([key, value]) => `${key} ${value}`);
  }
}

class Histogram implements Metric {
  readonly type = 'histogram';
  readonly name: string;
  readonly help: string;
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name;
    this.help = help;
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.#bounds.forEach((bound, i) => void (value <= bound && this.#counts[i]!++));
    this.#sum += value;
    this.#count++;
  }

  lines(): string[] {
    const buckets = this.#bounds.map((bound, i) => `${this.name}_bucket{le="${bound}"} ${this.#counts[i]}`);
    return [...buckets, `${this.name}_bucket{le="+Inf"} ${this.#count}`, `${this.name}_sum ${this.#sum}`, `${this.name}_count ${this.#count}`];
  }
}

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

export class Metrics {
  readonly requests = new Counter('roslin_requests_total', 'Requests by route and status.');
  readonly promptTokens = new Counter('roslin_prompt_tokens_total', 'Tokens of prompts that were computed.');
  readonly answerTokens = new Counter('roslin_answer_tokens_total', 'Tokens of answers.');
  readonly cancelled = new Counter('roslin_cancelled_total', 'Requests whose client went away before the end.');
  readonly restarts = new Counter('roslin_model_ended_total', 'Times that the process with the model ended by itself.');
  readonly firstToken = new Histogram('roslin_first_token_seconds', 'From the request to the first token of its first choice.', SECONDS);
  readonly duration = new Histogram('roslin_request_seconds', 'From the request to its end, of those that generate.', SECONDS);
  readonly #gauges = new Map<string, { help: string; value: () => number }>();

  gauge(name: string, help: string, value: () => number): void {
    this.#gauges.set(name, { help, value });
  }

  text(): string {
    const metrics: Metric[] = [this.requests, this.promptTokens, this.answerTokens, this.cancelled, this.restarts, this.firstToken, this.duration];
    for (const [name, { help, value }] of this.#gauges) metrics.push({ name, help, type: 'gauge', lines: () => [`${name} ${value()}`] });
    return metrics.map((m) => [`# HELP ${m.name} ${m.help}`, `# TYPE ${m.name} ${m.type}`, ...m.lines()].join('\n')).join('\n') + '\n';
  }
}
