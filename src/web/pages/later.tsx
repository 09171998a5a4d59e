/** Rooms of the house that are not furnished yet: what will be there, and what there is today instead. */
import { useTranslation } from '../i18n/react.ts';
import { Empty, PageHead } from '../ui/layout.tsx';

export function Compare() {
  return <Room name="compare" />;
}

export function Chat() {
  return <Room name="chat" />;
}

function Room({ name }: { readonly name: 'compare' | 'chat' }) {
  const { t } = useTranslation();
  return (
    <>
      <PageHead title={t(`rooms.${name}`)} lead={t(`later.${name}.lead`)} />
      <Empty icon={name === 'chat' ? 'chat' : 'arena'} title={t('later.notYet')}>
        {t(`later.${name}.today`)} <code className="rounded bg-sunk px-1.5 py-0.5 font-mono text-[0.9em] text-ink">{name === 'chat' ? './roslin chat --model M' : './roslin evaluate --model M --data D'}</code>
      </Empty>
    </>
  );
}
