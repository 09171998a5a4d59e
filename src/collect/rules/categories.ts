/** The categories of a campaign are those that every stage knows. */
export { CATEGORIES, isCategory, NEEDS_PASSAGE, type CategoryKey } from '../../text/categories.ts';
