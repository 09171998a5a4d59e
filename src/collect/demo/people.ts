/** Invented people and teams of the demo campaign. */
export interface DemoTeam {
  readonly key: string;
  readonly name: string;
}

export interface DemoPerson {
  readonly key: string;
  readonly login: string;
  readonly display_name: string;
  readonly alias: string | null;
  readonly team: string;
  readonly locale: 'en' | 'ru';
  readonly board_visibility: 'name' | 'alias' | 'hidden';
  readonly roles: readonly ('admin' | 'moderator' | 'reviewer' | 'member')[];
}

export const DEMO_TEAMS: readonly DemoTeam[] = [
  { key: 'harbour', name: 'Harbour' },
  { key: 'workshop', name: 'Workshop' },
  { key: 'library', name: 'Library' },
  { key: 'observatory', name: 'Observatory' },
];

const person = (key: string, display_name: string, team: string, more: Partial<DemoPerson> = {}): DemoPerson => ({ key, login: `${key}.demo`, display_name, alias: null, team, locale: 'en', board_visibility: 'name', roles: ['member', 'reviewer'], ...more });

export const DEMO_PEOPLE: readonly DemoPerson[] = [
  person('ada', 'Ada Lindqvist', 'harbour'),
  person('bruno', 'Bruno Castellan', 'harbour'),
  person('chipo', 'Chipo Marange', 'harbour', { alias: 'Morning Tide', board_visibility: 'alias' }),
  person('dmitri', 'Дмитрий Озеров', 'workshop', { locale: 'ru' }),
  person('elena', 'Елена Лугова', 'workshop', { locale: 'ru' }),
  person('farid', 'Farid Haddad', 'workshop'),
  person('greta', 'Greta Olafsdottir', 'library', { roles: ['member', 'reviewer', 'moderator'] }),
  person('hana', 'Hana Mizuno', 'library'),
  person('igor', 'Игорь Снегирёв', 'library', { locale: 'ru', board_visibility: 'hidden' }),
  person('june', 'June Abernathy', 'observatory', { roles: ['member', 'reviewer', 'moderator'] }),
  person('kofi', 'Kofi Ansah', 'observatory'),
  person('lucia', 'Lucía Ferrer', 'observatory', { alias: 'Second Moon', board_visibility: 'alias' }),
];
