/** Saying that something breaks the rules: a small button and a dialog for the reason. A moderator looks at it. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { report } from '../api/collect.ts';
import type { ReportInput } from '../api/types.ts';
import { useErrorText } from '../app/failure.tsx';
import { useTranslation } from '../i18n/react.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { TextArea } from '../ui/field.tsx';
import { Notice } from '../ui/layout.tsx';
import { useToast } from '../ui/toast.tsx';

export function ReportButton({ kind, id }: Pick<ReportInput, 'kind' | 'id'>) {
  const { t } = useTranslation();
  const toast = useToast();
  const errorText = useErrorText();
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const what = kind === 'review' ? 'record' : kind;
  const send = useMutation({
    mutationFn: () => report({ kind, id, reason }),
    onSuccess: () => {
      setOpen(false);
      setReason('');
      toast({ text: t('report.thanks') });
    },
  });
  return (
    <>
      <Button kind="quiet" size="small" icon="flag" onClick={() => setOpen(true)}>{t(`report.do.${what}`)}</Button>
      <Dialog open={open} onClose={() => setOpen(false)} title={t(`report.do.${what}`)} actions={<><Button onClick={() => setOpen(false)}>{t('common.cancel')}</Button><Button kind="primary" busy={send.isPending} disabled={reason.trim().length < 10} onClick={() => send.mutate()}>{t('report.send')}</Button></>}>
        <p className="mb-4 text-soft">{t('report.text')}</p>
        {send.error && <div className="mb-4"><Notice kind="bad" live>{errorText(send.error)}</Notice></div>}
        <TextArea label={t('report.reason')} rows={3} maxLength={2000} value={reason} onChange={({ target }) => setReason(target.value)} />
      </Dialog>
    </>
  );
}
