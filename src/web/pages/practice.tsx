/** A practice record: checked in the browser as one writes, never sent, never counted. */
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { FORM_RULES } from '../../collect/rules/forms.ts';
import { countWords } from '../../text/words.ts';
import { useClaim } from '../write/claim.ts';
import { useFindingText } from '../write/findings.tsx';
import { Counter } from '../write/parts.tsx';
import { formCheck } from '../write/use-findings.ts';
import { Button, ButtonLink } from '../ui/button.tsx';
import { TextArea } from '../ui/field.tsx';
import { Card, Notice, PageHead } from '../ui/layout.tsx';

export default function Practice() {
  const { t, i18n } = useTranslation();
  const say = useFindingText();
  const { claim, busy } = useClaim();
  const [instruction, setInstruction] = useState('');
  const [response, setResponse] = useState('');
  const [checked, setChecked] = useState(false);
  const rule = FORM_RULES.open_qa;
  const found = checked ? formCheck('open_qa', { instruction, context: '', response }, i18n.language) : [];
  const blocking = found.filter(({ severity }) => severity === 'block');
  return (
    <>
      <PageHead title={t('practice.title')} lead={t('practice.lead')} />
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1.4fr)_minmax(17rem,1fr)]">
        <Card className="grid gap-5">
          <TextArea label={t('write.instruction')} hint={t('practice.instructionHint')} rows={2} value={instruction} onChange={({ target }) => { setInstruction(target.value); setChecked(false); }} aside={<Counter words={countWords(instruction, i18n.language)} min={rule.instruction.min} max={rule.instruction.max} />} />
          <TextArea label={t('write.response')} hint={t('practice.responseHint')} rows={6} value={response} onChange={({ target }) => { setResponse(target.value); setChecked(false); }} aside={<Counter words={countWords(response, i18n.language)} min={rule.response.min} max={rule.response.max} />} />
          <div className="flex flex-wrap justify-end gap-2">
            <ButtonLink to="/" kind="quiet">{t('practice.leave')}</ButtonLink>
            <Button kind="primary" onClick={() => setChecked(true)}>{t('practice.check')}</Button>
          </div>
        </Card>
        <div className="grid gap-4" aria-live="polite">
          {!checked ? (
            <Card><h2 className="font-semibold">{t('practice.what')}</h2><p className="mt-2 text-soft">{t('practice.whatText')}</p></Card>
          ) : blocking.length > 0 ? (
            <Notice kind="warn" title={t('write.refused', { count: blocking.length })}>
              <ul className="list-disc pl-5">{blocking.map((finding) => <li key={finding.code + finding.field}>{t(`write.field.${finding.field}`)}: {say(finding)}</li>)}</ul>
            </Notice>
          ) : (
            <Notice kind="good" title={t('practice.good')} actions={<Button kind="primary" busy={busy} onClick={() => claim('open_qa')}>{t('practice.real')}</Button>}>
              {found.length === 0 ? t('practice.goodText') : <ul className="list-disc pl-5">{found.map((finding) => <li key={finding.code}>{say(finding)}</li>)}</ul>}
            </Notice>
          )}
        </div>
      </div>
    </>
  );
}
