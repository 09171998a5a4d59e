/** Who somebody is at the organisation's own sign-in, and sign-ins that have begun there: what comes back is held against what is kept here, once. */
export const sql = `
create table identities (
  issuer text not null,
  subject text not null,
  user_id uuid not null references users,
  created_at timestamptz not null,
  primary key (issuer, subject)
);
create index identities_of_user on identities (user_id);

create table sign_ins (
  token_hash text primary key,
  issuer text not null,
  state text not null,
  nonce text not null,
  verifier text not null,
  target text not null,
  locale text not null,
  invitation_hash text,
  user_id uuid references users,
  expires_at timestamptz not null
);
`;
