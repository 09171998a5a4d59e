/** The studio as `roslin up` starts it, with a clock that its parent sets: a week of a campaign goes by in minutes. */
import { runJobs } from '../../../src/collect/jobs.ts';
import { startStudio } from '../../../src/server/studio/up.ts';

const [workspace, at] = process.argv.slice(2);
let clock = Number(at);
const send = (message: object) => process.send!(message);
const studio = await startStudio({ workspace: workspace!, host: '127.0.0.1', port: 0, databaseUrl: '', trustedProxies: ['127.0.0.1'], now: () => clock, onFault: (error) => send({ fault: error instanceof Error ? (error.stack ?? error.message) : String(error) }) });

process.on('message', (message: { n: number; clock?: number; jobs?: true; stop?: true }) => {
  void (async () => {
    if (message.clock !== undefined) clock = message.clock;
    if (message.jobs) await runJobs(studio.context);
    if (message.stop) await studio.close();
    send({ done: message.n });
    if (message.stop) process.disconnect();
  })();
});
send({ up: { url: studio.url, ownerLink: studio.ownerLink ?? null } });
