/** A link to pass on, with a button that copies it. */
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { Button } from './button.tsx';
import { TextField } from './field.tsx';

export function CopyLink({ link, label }: { readonly link: string; readonly label: string }) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  return (
    <div className="flex flex-wrap items-end gap-2">
      <TextField label={label} readOnly value={link} className="min-w-52 flex-1" onFocus={({ target }) => target.select()} />
      <Button
        icon={copied ? 'check' : 'copy'}
        onClick={() => {
          // Pages on plain http other than loopback have no clipboard: the field can be copied by hand.
          void navigator.clipboard?.writeText(link).then(() => setCopied(true), () => setCopied(false));
        }}
      >
        {copied ? t('common.copied') : t('common.copy')}
      </Button>
    </div>
  );
}
