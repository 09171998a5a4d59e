/**
 * What licences of data and weights ask for and allow, as far as making a model goes. These are facts for a decision, not legal advice.
 * Names are SPDX identifiers where SPDX has one; `LicenseRef-` marks our own; WordNet's licence is named by its release.
 */

export interface LicenceRule {
  readonly title: string;
  /** May a model that was made with it be used for money? */
  readonly commercial: boolean;
  /** May it be passed on in changed form? */
  readonly derivatives: boolean;
  /** Changed versions of the material itself must carry the same licence. Whether that reaches a model's weights is contested. */
  readonly shareAlike: boolean;
  /** What whoever passes it on owes. */
  readonly owed: string | null;
}

const open = (title: string, owed: string | null): LicenceRule => ({ title, commercial: true, derivatives: true, shareAlike: false, owed });
const NOTICE = 'keep its copyright notice and licence text';
const ATTRIBUTION = 'name the authors and the licence, and say what was changed';

export const LICENCES: Readonly<Record<string, LicenceRule>> = {
  'CC0-1.0': open('Creative Commons Zero', null),
  'PDDL-1.0': open('Public Domain Dedication and License', null),
  MIT: open('MIT License', NOTICE),
  'BSD-2-Clause': open('BSD, two clauses', NOTICE),
  'BSD-3-Clause': open('BSD, three clauses', NOTICE),
  'Apache-2.0': open('Apache License 2.0', `${NOTICE}, its NOTICE file, and a mark on changed files`),
  'WordNet-3.0': open('WordNet 3.0 license (Princeton University)', `${NOTICE} on every copy; Princeton's name may not be used to advertise`),
  'ODC-By-1.0': open('Open Data Commons Attribution', ATTRIBUTION),
  'CC-BY-3.0': open('Creative Commons Attribution 3.0', ATTRIBUTION),
  'CC-BY-4.0': open('Creative Commons Attribution 4.0', ATTRIBUTION),
  'CC-BY-SA-3.0': { ...open('Creative Commons Attribution-ShareAlike 3.0', ATTRIBUTION), shareAlike: true },
  'CC-BY-SA-4.0': { ...open('Creative Commons Attribution-ShareAlike 4.0', ATTRIBUTION), shareAlike: true },
  'CC-BY-NC-4.0': { ...open('Creative Commons Attribution-NonCommercial 4.0', ATTRIBUTION), commercial: false },
  'CC-BY-NC-SA-4.0': { ...open('Creative Commons Attribution-NonCommercial-ShareAlike 4.0', ATTRIBUTION), commercial: false, shareAlike: true },
  'CC-BY-ND-4.0': { ...open('Creative Commons Attribution-NoDerivatives 4.0', ATTRIBUTION), derivatives: false },
  'LicenseRef-Organisation': open('the organisation\'s own work', null),
  'LicenseRef-ToS-restricted': { ...open('output of a hosted model whose terms forbid competing models', null), commercial: false },
};
