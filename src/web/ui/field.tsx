/** Form controls with their label, hint and fault bound to them. */
import { useId, type ComponentProps, type ReactNode } from 'react';
import { cx } from './class-names.ts';
import { Icon } from './icon.tsx';

const CONTROL = 'w-full rounded-control border border-edge bg-card px-3 py-2 text-ink placeholder:text-soft transition-colors hover:border-soft focus:border-accent focus:outline-2 focus:outline-offset-0 focus:outline-accent aria-invalid:border-bad file:mr-3 file:rounded-md file:border-0 file:bg-tint file:px-3 file:py-1 file:font-semibold file:text-accent';

interface FieldProps {
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  readonly fault?: string | undefined;
  /** Beside the label: a counter, say. */
  readonly aside?: ReactNode;
  readonly className?: string;
}

interface Bound {
  readonly id: string;
  readonly 'aria-describedby'?: string | undefined;
  readonly 'aria-invalid'?: true;
}

/** Label, hint and fault around any control. */
export function Field({ label, hint, fault, aside, className, children }: FieldProps & { readonly children: (bound: Bound) => ReactNode }) {
  const id = useId();
  const described = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(' ');
  return (
    <div className={cx('grid gap-1.5', className)}>
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <label htmlFor={id} className="font-semibold text-[0.9375rem]">
          {label}
        </label>
        {aside}
      </div>
      {hint && (
        <p id={`${id}-hint`} className="text-sm text-soft">
          {hint}
        </p>
      )}
      {children({ id, 'aria-describedby': described || undefined, 'aria-invalid': fault ? true : undefined })}
      {fault && (
        <p id={`${id}-fault`} className="flex items-start gap-1.5 text-sm text-bad">
          <Icon name="warning" size={16} className="mt-0.5" />
          {fault}
        </p>
      )}
    </div>
  );
}

export function TextField({ label, hint, fault, aside, className, ...rest }: FieldProps & Omit<ComponentProps<'input'>, 'id' | 'className'>) {
  return (
    <Field label={label} hint={hint} fault={fault} aside={aside} className={className}>
      {(bound) => <input {...rest} {...bound} className={CONTROL} />}
    </Field>
  );
}

export function TextArea({ label, hint, fault, aside, className, rows = 4, ...rest }: FieldProps & Omit<ComponentProps<'textarea'>, 'id' | 'className'>) {
  return (
    <Field label={label} hint={hint} fault={fault} aside={aside} className={className}>
      {(bound) => <textarea rows={rows} {...rest} {...bound} className={cx(CONTROL, 'resize-y leading-relaxed [field-sizing:content]', rows >= 6 ? 'min-h-44' : 'min-h-20')} />}
    </Field>
  );
}

export function SelectField({ label, hint, fault, aside, className, children, ...rest }: FieldProps & Omit<ComponentProps<'select'>, 'id' | 'className'>) {
  return (
    <Field label={label} hint={hint} fault={fault} aside={aside} className={className}>
      {(bound) => (
        <select {...rest} {...bound} className={cx(CONTROL, 'min-h-10')}>
          {children}
        </select>
      )}
    </Field>
  );
}

export function CheckField({ label, hint, className, ...rest }: Omit<FieldProps, 'fault' | 'aside'> & Omit<ComponentProps<'input'>, 'id' | 'className' | 'type'>) {
  const id = useId();
  return (
    <div className={cx('grid grid-cols-[auto_1fr] items-start gap-x-3', className)}>
      <input type="checkbox" {...rest} id={id} aria-describedby={hint ? `${id}-hint` : undefined} className="size-6 shrink-0 cursor-pointer" />
      <label htmlFor={id} className="leading-snug">
        {label}
      </label>
      {hint && (
        <p id={`${id}-hint`} className="col-start-2 text-sm text-soft">
          {hint}
        </p>
      )}
    </div>
  );
}

/** A choice of a few, each with room for a second line; arrow keys move, as with any radio buttons. */
export function Choices<V extends string>({ legend, name, value, options, onChange, columns = 1, hideLegend = false }: {
  readonly legend: string;
  readonly name: string;
  readonly value: V | undefined;
  readonly options: readonly { readonly value: V; readonly label: ReactNode; readonly hint?: ReactNode }[];
  readonly onChange: (value: V) => void;
  readonly columns?: 1 | 2 | 3;
  readonly hideLegend?: boolean;
}) {
  return (
    <fieldset className="grid gap-1.5">
      <legend className={hideLegend ? 'sr-only' : 'mb-1.5 font-semibold text-[0.9375rem]'}>{legend}</legend>
      <div className={cx('grid gap-2', columns === 2 && 'sm:grid-cols-2', columns === 3 && 'sm:grid-cols-3')}>
        {options.map((option) => (
          <label key={option.value} className="flex items-start gap-3 rounded-control border border-edge bg-card px-3 py-2.5 transition-colors hover:bg-sunk has-checked:border-accent has-checked:bg-tint has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent">
            <input type="radio" name={name} value={option.value} checked={option.value === value} onChange={() => onChange(option.value)} className="mt-1 size-4 shrink-0 outline-none" />
            <span>
              <span className="font-medium">{option.label}</span>
              {option.hint && <span className="block text-sm text-soft">{option.hint}</span>}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
