import type admin from './en/admin.ts';
import type main from './en/main.ts';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'main';
    resources: { main: typeof main; admin: typeof admin };
    returnNull: false;
  }
}
