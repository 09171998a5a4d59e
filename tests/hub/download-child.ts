/** Run as a process of its own, to be killed: downloads the dataset named in its arguments. */
import { downloadHub, resolveHub } from '../../src/hub/index.ts';

const [endpoint, cacheDir, id] = process.argv.slice(2);
const options = { endpoint, cacheDir, env: {}, token: false } as const;
for await (const event of downloadHub(await resolveHub({ ...options, kind: 'dataset', id: id ?? '' }), options)) {
  if (event.type === 'done') process.stdout.write('done\n');
}
