/**
 * Whether an export may be passed on. A tainted model is not exported at all unless that is accepted with a reason; one whose licences
 * are not known is, for one's own use, and says that it may not be passed on unless that is accepted.
 */
import { InputError } from '../errors.ts';
import type { OpenedModel } from '../inference/open-model.ts';
import { verdictOf } from './gguf-model.ts';

export interface Accepted {
  /** Why a tainted model is exported all the same. */
  readonly acceptTaint?: string | undefined;
  /** A model of unknown licences is exported as one that may be passed on. */
  readonly acceptUnknown?: boolean | undefined;
}

export interface PassingOn {
  readonly redistributable: boolean;
  /** What was accepted against the verdict. */
  readonly accepted: string | null;
}

/** Throws InputError for a tainted model without a reason. */
export function passingOn(model: OpenedModel, { acceptTaint, acceptUnknown = false }: Accepted): PassingOn {
  const { verdict, reasons } = verdictOf(model);
  if (verdict === 'unknown') return { redistributable: acceptUnknown, accepted: acceptUnknown ? 'unknown licences' : null };
  if (verdict !== 'tainted') return { redistributable: true, accepted: null };
  if (acceptTaint !== undefined) return { redistributable: true, accepted: `tainted: ${acceptTaint}` };
  throw new InputError({ expected: 'a model that may be passed on', found: `a tainted one (${reasons.join('; ')})`, where: model.path, remedy: 'Train without what taints it, or accept it with --accept-taint "reason".' });
}
