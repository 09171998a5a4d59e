/** A category's picture; its name stands beside it. */
import type { CategoryKey } from '../../collect/rules/categories.ts';
import { Icon, type IconName } from './icon.tsx';

const ICONS: Readonly<Record<CategoryKey, IconName>> = {
  open_qa: 'globe',
  general_qa: 'compass',
  closed_qa: 'book',
  information_extraction: 'pick',
  summarization: 'shrink',
  brainstorming: 'spark',
  classification: 'sort',
  creative_writing: 'feather',
};

/** The need factor, in thousandths, from which it is worth a badge. */
export const NOTABLE = 1050;

export function CategoryIcon({ category, large = false, raised = false }: { readonly category: CategoryKey; readonly large?: boolean; readonly raised?: boolean }) {
  return (
    <span aria-hidden="true" className={`grid shrink-0 place-items-center rounded-[0.7rem] text-accent ${raised ? 'bg-card shadow-card' : 'bg-tint'} ${large ? 'size-14' : 'size-9'}`}>
      <Icon name={ICONS[category]} size={large ? 28 : 19} />
    </span>
  );
}
