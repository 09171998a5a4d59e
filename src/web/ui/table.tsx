/** A real table: caption, column heads, row heads; wide ones scroll in a region that the keyboard reaches. */
import { useId, type ReactNode } from 'react';
import { cx } from './class-names.ts';

export interface Column<R> {
  readonly key: string;
  readonly head: ReactNode;
  readonly cell: (row: R) => ReactNode;
  readonly align?: 'right';
  /** The cell that names the row. */
  readonly names?: boolean;
  /** Left out on narrow screens; say it elsewhere too if it matters. */
  readonly wideOnly?: boolean;
}

export function Table<R>({ caption, hideCaption = false, columns, rows, rowKey, mark, empty }: {
  readonly caption: string;
  readonly hideCaption?: boolean;
  readonly columns: readonly Column<R>[];
  readonly rows: readonly R[];
  readonly rowKey: (row: R) => string;
  /** Whether a row is the reader's own. */
  readonly mark?: (row: R) => boolean;
  readonly empty?: ReactNode;
}) {
  const id = useId();
  const side = (column: Column<R>) => cx(column.align === 'right' ? 'text-right tabular whitespace-nowrap' : 'text-left', column.wideOnly && 'hidden md:table-cell');
  return (
    <div role="region" aria-labelledby={id} tabIndex={0} className="relative overflow-x-auto rounded-card">
      <table className="w-full border-collapse text-[0.9375rem]">
        <caption id={id} className={hideCaption ? 'sr-only' : 'pb-2 text-left text-sm text-soft'}>
          {caption}
        </caption>
        <thead>
          <tr className="border-b border-line text-sm text-soft">
            {columns.map((column) => (
              <th key={column.key} scope="col" className={cx('px-3 py-2 font-medium whitespace-nowrap', side(column))}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} aria-current={mark?.(row) ? 'true' : undefined} className="border-b border-line last:border-0 aria-current:bg-tint">
              {columns.map((column) =>
                column.names ? (
                  <th key={column.key} scope="row" className={cx('px-3 py-2.5 font-medium align-middle', side(column))}>
                    {column.cell(row)}
                  </th>
                ) : (
                  <td key={column.key} className={cx('px-3 py-2.5 align-middle', side(column))}>
                    {column.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
          {rows.length === 0 && (
            <tr>
              <td colSpan={columns.length} className="px-3 py-8 text-center text-soft">
                {empty}
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}
