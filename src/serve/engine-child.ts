/** The process with a model on our own engine. */
import { serveParent } from './batch.ts';
import { EngineBatch } from './engine-batch.ts';

await serveParent((request) => EngineBatch.open(request));
