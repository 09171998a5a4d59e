/** Small parts of the writing page: counter, state of saving, what the checks found. */
import { useTranslation } from '../i18n/react.ts';
import { useFormat } from '../app/format.ts';
import type { SaverState } from '../drafts/saver.ts';
import { cx } from '../ui/class-names.ts';
import { Icon, type IconName } from '../ui/icon.tsx';

/** "34 words, aim 40 to 200": whether it is enough is said in words and by a sign, not by colour alone. */
export function Counter({ words, min, max }: { readonly words: number; readonly min: number; readonly max: number }) {
  const { t } = useTranslation();
  const state = words === 0 ? 'none' : words < min ? 'short' : words > max ? 'long' : 'right';
  return (
    <span className={cx('flex items-center gap-1.5 text-sm', state === 'right' ? 'text-good' : state === 'long' ? 'text-warn' : 'text-soft')}>
      {state === 'right' && <Icon name="check" size={15} />}
      {state === 'long' && <Icon name="warning" size={15} />}
      {t('write.words', { count: words })}
      <span aria-hidden="true">·</span>
      {t(`write.aim.${state}`, { min, max, left: Math.max(0, min - words), over: Math.max(0, words - max) })}
    </span>
  );
}

const SAVE_ICONS: Readonly<Record<SaverState<unknown>['status'], IconName>> = { saved: 'check', unsaved: 'pen', saving: 'cloud', offline: 'cloudOff', 'signed-out': 'cloudOff', conflict: 'warning', gone: 'info' };

export function SaveStatus({ state }: { readonly state: SaverState<unknown> }) {
  const { t } = useTranslation();
  const format = useFormat();
  const bad = state.status === 'conflict' || state.status === 'signed-out' || ((state.status === 'offline' || state.status === 'unsaved') && !state.onDevice);
  return (
    <span role="status" className={cx('flex items-center gap-1.5 text-sm', bad ? 'text-warn' : 'text-soft')}>
      <Icon name={SAVE_ICONS[state.status]} size={16} />
      {state.status === 'offline' && !state.onDevice ? t('write.save.offlineNowhere') : t(`write.save.${state.status}`, { time: format.time(state.savedAt) })}
    </span>
  );
}
