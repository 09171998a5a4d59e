/** Roles, and what each includes. Nothing is allowed that is not asked for here: the routes name the access that they need. */
import type { Actor } from './machine.ts';

export const ROLES = ['owner', 'admin', 'moderator', 'reviewer', 'member'] as const;
export type Role = (typeof ROLES)[number];

/** What a route may need: `anyone` without a session, `person` anybody who is signed in. */
export const ACCESS = ['anyone', 'person', 'reviewer', 'moderator', 'admin', 'owner'] as const;
export type Access = (typeof ACCESS)[number];

const INCLUDES: Readonly<Record<Role, readonly Access[]>> = {
  owner: ['person', 'reviewer', 'moderator', 'admin', 'owner'],
  admin: ['person', 'reviewer', 'moderator', 'admin'],
  moderator: ['person', 'reviewer', 'moderator'],
  reviewer: ['person', 'reviewer'],
  member: ['person'],
};

/** `roles` undefined: nobody is signed in. */
export const mayAccess = (needed: Access, roles: readonly Role[] | undefined): boolean => needed === 'anyone' || (roles !== undefined && (needed === 'person' || roles.some((role) => INCLUDES[role].includes(needed))));

/** Who somebody acts as in the state machines, beside being an author. */
export const actorsOf = (roles: readonly Role[]): Actor[] => (['reviewer', 'moderator', 'admin', 'owner'] as const).filter((actor) => mayAccess(actor, roles));
