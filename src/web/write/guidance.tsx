/** What a category asks, beside the form: one sentence, what to do and not to do, a good and a bad example. Open or shut is remembered. */
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import type { Example, Guideline } from '../api/types.ts';
import { keysForPeople, useShortcuts } from '../app/shortcuts.tsx';
import { readStored, writeStored } from '../stored.ts';
import { Icon } from '../ui/icon.tsx';
import { Kbd } from '../ui/layout.tsx';

const STORED_AS = 'roslin.guidance';

export function Guidance({ guideline, lang }: { readonly guideline: Guideline; readonly lang: string }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(remembered);
  const toggle = (next: boolean) => {
    setOpen(next);
    writeStored(STORED_AS, next ? 'open' : 'shut');
  };
  useShortcuts([{ keys: 'Alt+G', label: t('write.keyGuidance'), run: () => toggle(!open) }]);
  return (
    <section aria-labelledby="guidance" lang={lang} className="rounded-card border border-line bg-card p-5 shadow-card sm:p-6">
      <button type="button" aria-expanded={open} onClick={() => toggle(!open)} className="flex w-full items-center gap-2 text-left">
        <Icon name="bulb" className="text-accent" />
        <h2 id="guidance" className="flex-1 text-lg font-semibold" lang={document.documentElement.lang}>
          {t('write.guidance')}
        </h2>
        <span className="hidden sm:inline"><Kbd>{keysForPeople('Alt+G')}</Kbd></span>
        <Icon name="down" size={18} className={open ? 'rotate-180 text-soft transition-transform' : 'text-soft transition-transform'} />
      </button>
      <p className="mt-2">{guideline.summary}</p>
      {open && (
        <div className="rise mt-4 grid gap-4 text-[0.9375rem]">
          <Rules title={t('write.do')} items={guideline.do} good />
          <Rules title={t('write.dont')} items={guideline.dont} />
          {guideline.good.slice(0, 1).map((example) => (
            <ExampleBox key="good" example={example} good />
          ))}
          {guideline.bad.slice(0, 1).map((example) => (
            <ExampleBox key="bad" example={example} />
          ))}
        </div>
      )}
    </section>
  );
}

function Rules({ title, items, good = false }: { readonly title: string; readonly items: readonly string[]; readonly good?: boolean }) {
  return (
    <div>
      <h3 className="mb-1 text-sm font-medium text-soft" lang={document.documentElement.lang}>{title}</h3>
      <ul className="grid gap-1.5">
        {items.map((item) => (
          <li key={item} className="flex gap-2">
            <Icon name={good ? 'check' : 'cross'} size={17} className={good ? 'mt-1 text-good' : 'mt-1 text-bad'} />
            <span>{item}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function ExampleBox({ example, good = false, open = false }: { readonly example: Example; readonly good?: boolean; readonly open?: boolean }) {
  const { t } = useTranslation();
  const ui = document.documentElement.lang;
  return (
    <details open={open} className="rounded-control bg-sunk px-4 py-3">
      <summary className="flex items-center gap-2 font-medium" lang={ui}>
        <Icon name={good ? 'check' : 'cross'} size={17} className={good ? 'text-good' : 'text-bad'} />
        {good ? t('write.goodExample') : t('write.badExample')}
      </summary>
      <dl className="mt-3 grid gap-2">
        {example.context && <Part name={t('write.passage')} text={example.context} />}
        <Part name={t('write.instruction')} text={example.instruction} />
        <Part name={t('write.response')} text={example.response} />
        <Part name={t('write.why')} text={example.why} />
      </dl>
    </details>
  );
}

function Part({ name, text }: { readonly name: string; readonly text: string }) {
  return (
    <div>
      <dt className="text-sm text-soft" lang={document.documentElement.lang}>{name}</dt>
      <dd className="written">{text}</dd>
    </div>
  );
}

function remembered(): boolean {
  const stored = readStored(STORED_AS);
  return stored === null ? matchMedia('(min-width: 64rem)').matches : stored === 'open';
}
