/** Models and datasets from a hub, by id and revision: what it would take (resolveHub), fetching (downloadHub), what is there (cachedSnapshot). */
export { cachedSnapshot, resolveHub, type HubFile, type HubPlan, type HubRequest } from './plan.ts';
export { downloadHub, measureRate, type HubEvent } from './download.ts';
export { hubSettings, type HubOptions, type RetryPolicy } from './settings.ts';
export type { CachedSnapshot } from './cache.ts';
export type { HubLicence } from './describe.ts';
export { parseHubId, type ContentHash, type HubKind } from './names.ts';
export type { HubFormat } from './select.ts';
