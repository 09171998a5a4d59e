/** What we use of the package, which has no declarations of its own. */
declare module 'spdx-expression-parse' {
  interface LicenseInfo {
    readonly license: string;
    readonly plus?: true;
    readonly exception?: string;
  }
  interface ConjunctionInfo {
    readonly conjunction: 'and' | 'or';
    readonly left: Info;
    readonly right: Info;
  }
  type Info = LicenseInfo | ConjunctionInfo;
  /** Throws Error for what is no expression. */
  export default function parse(source: string): Info;
  export type { Info };
}
