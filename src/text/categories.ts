/** The eight categories of databricks-dolly-15k (Conover et al. 2023), in the order in which a campaign shows them. */
export const CATEGORIES = ['open_qa', 'general_qa', 'closed_qa', 'information_extraction', 'summarization', 'brainstorming', 'classification', 'creative_writing'] as const;
export type CategoryKey = (typeof CATEGORIES)[number];

/** Those that are written about a passage. */
export const NEEDS_PASSAGE: readonly CategoryKey[] = ['closed_qa', 'information_extraction', 'summarization'];

export const isCategory = (key: string): key is CategoryKey => (CATEGORIES as readonly string[]).includes(key);
