/** Two texts for one draft: both are shown, and a person chooses. Nothing is overwritten unasked. */
import { useTranslation } from '../i18n/react.ts';
import type { RecordBody } from '../api/types.ts';
import { useFormat } from '../app/format.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/layout.tsx';

export function Conflict({ mine, theirs, at, lang, onChoose }: { readonly mine: RecordBody; readonly theirs: RecordBody; readonly at: number; readonly lang: string; readonly onChoose: (choice: 'mine' | 'theirs') => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <section role="alert" aria-labelledby="conflict" className="rise mb-5 rounded-card border-2 border-warn bg-warn-tint p-5">
      <h2 id="conflict" className="text-lg font-semibold">{t('conflict.title')}</h2>
      <p className="mt-1">{t('conflict.text', { time: format.dateTime(at) })}</p>
      <div className="mt-4 grid gap-4 md:grid-cols-2">
        {(['mine', 'theirs'] as const).map((choice) => {
          const body = choice === 'mine' ? mine : theirs;
          return (
            <Card key={choice} className="flex flex-col">
              <h3 className="font-semibold">{t(`conflict.${choice}`)}</h3>
              <div lang={lang} dir="auto" className="written mt-2 mb-4 max-h-64 flex-1 overflow-y-auto text-[0.9375rem]" tabIndex={0} role="region" aria-label={t(`conflict.${choice}`)}>
                <p className="font-medium">{body.instruction || '–'}</p>
                <p className="mt-2">{body.response || '–'}</p>
              </div>
              <Button kind={choice === 'mine' ? 'primary' : 'secondary'} onClick={() => onChoose(choice)}>{t(`conflict.keep.${choice}`)}</Button>
            </Card>
          );
        })}
      </div>
    </section>
  );
}
