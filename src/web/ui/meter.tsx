/** A bar on the way to a goal. The numbers stand beside it in words: the bar is never the only bearer. */
import { cx } from './class-names.ts';

export function Meter({ value, most, mine = 0, label, text, tall = false }: { readonly value: number; readonly most: number; readonly mine?: number; readonly label: string; readonly text: string; readonly tall?: boolean }) {
  const share = (part: number) => `${Math.min(100, most > 0 ? (100 * part) / most : 0)}%`;
  return (
    <div role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={Math.max(1, most)} aria-valuenow={Math.min(value, Math.max(1, most))} aria-valuetext={text} className={cx('relative overflow-hidden rounded-full bg-line', tall ? 'h-3' : 'h-2')}>
      <div className="absolute inset-y-0 left-0 rounded-full bg-bar transition-[width] duration-700 ease-calm" style={{ width: share(value) }} />
      {mine > 0 && <div className="absolute inset-y-0 left-0 rounded-full bg-accent transition-[width] duration-700 ease-calm" style={{ width: share(mine) }} />}
    </div>
  );
}
