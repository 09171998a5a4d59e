/**
 * The first schema: people, campaigns, records on their way, reviews, points, audit. What may never change is guarded by triggers;
 * what must be unique is guarded by indexes and not by code alone. Points are integers in thousandths (`_mp`).
 */
export const sql = `
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'rows of % are never changed or removed', tg_table_name using errcode = 'restrict_violation';
end $$;

-- People ---------------------------------------------------------------------------------------------------------------

create table users (
  id uuid primary key,
  login text not null,
  login_key text not null unique,
  display_name text not null,
  name_key text not null unique,
  alias text,
  alias_key text unique,
  email text,
  email_key text unique,
  locale text not null default 'en',
  status text not null default 'active' check (status in ('active', 'suspended', 'erased')),
  roles text[] not null check (roles <@ array['owner', 'admin', 'moderator', 'reviewer', 'member']),
  password_hash text,
  board_visibility text not null default 'name' check (board_visibility in ('name', 'alias', 'hidden')),
  stopped boolean not null default false,
  created_at timestamptz not null
);

create table teams (
  id uuid primary key,
  name text not null,
  name_key text not null unique,
  created_at timestamptz not null
);

create table memberships (
  user_id uuid not null references users,
  team_id uuid not null references teams,
  since timestamptz not null,
  until timestamptz,
  primary key (user_id, since)
);
create unique index one_team_at_a_time on memberships (user_id) where until is null;

create table sessions (
  token_hash text primary key,
  user_id uuid not null references users,
  created_at timestamptz not null,
  seen_at timestamptz not null,
  expires_at timestamptz not null
);
create index sessions_of_user on sessions (user_id);

create table invitations (
  id uuid primary key,
  token_hash text not null unique,
  roles text[] not null check (roles <@ array['owner', 'admin', 'moderator', 'reviewer', 'member']),
  email text,
  team_id uuid references teams,
  created_by uuid references users,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  used_by uuid references users
);

create table throttles (
  key text primary key,
  hits integer not null,
  until timestamptz not null
);

create table secrets (
  name text primary key,
  value text not null,
  created_at timestamptz not null
);

-- Campaigns ------------------------------------------------------------------------------------------------------------

create table points_rules (
  version text primary key,
  rules jsonb not null,
  published_at timestamptz not null
);

create table campaigns (
  id uuid primary key,
  slug text not null unique,
  title text not null,
  purpose text not null default '',
  organisation text not null default '',
  is_demo boolean not null default false,
  state text not null default 'draft' check (state in ('draft', 'open', 'paused', 'closing', 'adjudicating', 'frozen', 'archived')),
  time_zone text not null,
  languages text[] not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  licence text not null,
  rules_version text not null references points_rules,
  consent_version integer not null default 1,
  policy jsonb not null,
  prizes jsonb not null,
  created_by uuid references users,
  created_at timestamptz not null,
  frozen_at timestamptz
);

create table consent_texts (
  campaign_id uuid not null references campaigns,
  version integer not null,
  locale text not null,
  body text not null,
  text_hash text not null,
  primary key (campaign_id, version, locale)
);
create trigger consent_texts_stay before update or delete on consent_texts for each row execute function refuse_change();

create table consents (
  user_id uuid not null references users,
  campaign_id uuid not null,
  version integer not null,
  locale text not null,
  text_hash text not null,
  given_at timestamptz not null,
  primary key (user_id, campaign_id, version),
  foreign key (campaign_id, version, locale) references consent_texts
);
create trigger consents_stay before update or delete on consents for each row execute function refuse_change();

create table categories (
  campaign_id uuid not null references campaigns,
  key text not null,
  position integer not null,
  goal integer not null check (goal >= 0),
  guideline_version integer not null default 1,
  primary key (campaign_id, key)
);

create table guidelines (
  campaign_id uuid not null,
  category text not null,
  locale text not null,
  version integer not null,
  body jsonb not null,
  primary key (campaign_id, category, locale, version),
  foreign key (campaign_id, category) references categories (campaign_id, key)
);

create table sources (
  id uuid primary key,
  kind text not null check (kind in ('wikipedia', 'organisation', 'public_domain', 'other')),
  title text not null,
  url text,
  revision text,
  author text,
  licence text not null,
  retrieved_on date,
  created_at timestamptz not null
);

create table passages (
  id uuid primary key,
  campaign_id uuid not null references campaigns,
  source_id uuid not null references sources,
  text_raw text not null,
  text text not null,
  sha256 text not null,
  language text not null,
  state text not null default 'proposed' check (state in ('proposed', 'verified', 'blocked')),
  added_by uuid references users,
  created_at timestamptz not null,
  unique (campaign_id, sha256)
);

-- Writing --------------------------------------------------------------------------------------------------------------

create table tasks (
  id uuid primary key,
  campaign_id uuid not null,
  category text not null,
  kind text not null check (kind in ('author', 'answer')),
  passage_id uuid references passages,
  asked_by uuid references users,
  seed_instruction text,
  language text not null,
  state text not null default 'open' check (state in ('open', 'done', 'dropped')),
  created_at timestamptz not null,
  foreign key (campaign_id, category) references categories (campaign_id, key)
);
create index open_tasks on tasks (campaign_id, category) where state = 'open';

create table leases (
  id uuid primary key,
  task_id uuid not null references tasks,
  user_id uuid not null references users,
  state text not null default 'claimed' check (state in ('claimed', 'submitted', 'released', 'expired')),
  weight integer not null,
  claimed_at timestamptz not null,
  expires_at timestamptz not null,
  extended integer not null default 0
);
create unique index one_lease_a_task on leases (task_id) where state = 'claimed';
create index leases_of_user on leases (user_id) where state = 'claimed';

create table drafts (
  id uuid primary key,
  user_id uuid not null references users,
  campaign_id uuid not null,
  task_id uuid references tasks,
  category text not null,
  language text not null,
  revises uuid,
  body jsonb not null,
  revision integer not null default 0,
  device text not null default '',
  state text not null default 'open' check (state in ('open', 'submitted', 'discarded')),
  created_at timestamptz not null,
  saved_at timestamptz not null,
  foreign key (campaign_id, category) references categories (campaign_id, key)
);
create index drafts_of_user on drafts (user_id, campaign_id) where state = 'open';
create unique index one_draft_a_task on drafts (user_id, task_id) where state = 'open';

create table draft_versions (
  id bigint generated always as identity primary key,
  draft_id uuid not null references drafts,
  revision integer not null,
  kind text not null check (kind in ('saved', 'conflict')),
  body jsonb not null,
  device text not null,
  at timestamptz not null
);
create index versions_of_draft on draft_versions (draft_id, id);

create table submissions (
  id uuid primary key,
  campaign_id uuid not null,
  category text not null,
  author_id uuid not null references users,
  team_id uuid references teams,
  task_id uuid references tasks,
  draft_id uuid references drafts,
  version integer not null default 1,
  state text not null check (state in ('submitted', 'checking', 'needs_fix', 'quarantined', 'in_review', 'changes_requested', 'accepted', 'rejected', 'appealed', 'withdrawn', 'retracted')),
  weight integer not null,
  work_day date not null,
  round integer not null default 1,
  quality integer,
  reviews_wanted integer not null,
  reviews_taken integer not null default 0,
  needs_decision text check (needs_decision in ('disagreement', 'quarantined', 'appeal')),
  appeal_reason text,
  undone boolean not null default false,
  waiting_since timestamptz not null,
  split text check (split in ('train', 'held_out')),
  idempotency_key text not null,
  created_at timestamptz not null,
  decided_at timestamptz,
  unique (author_id, idempotency_key),
  foreign key (campaign_id, category) references categories (campaign_id, key)
);
create index submissions_of_author on submissions (author_id, campaign_id, state);
create index submissions_by_state on submissions (campaign_id, state, category);
create index waiting_for_review on submissions (campaign_id, waiting_since) where state = 'in_review' and needs_decision is null and reviews_taken < reviews_wanted;
create index waiting_for_decision on submissions (campaign_id, waiting_since) where needs_decision is not null;
create index submissions_of_draft on submissions (draft_id);
alter table drafts add foreign key (revises) references submissions;
create unique index one_revision_at_a_time on drafts (revises) where state = 'open' and revises is not null;

create table submission_versions (
  submission_id uuid not null references submissions,
  version integer not null,
  instruction text not null,
  context text not null,
  response text not null,
  language text not null,
  passage_id uuid references passages,
  attestation jsonb not null,
  telemetry jsonb not null,
  consent_version integer not null,
  content_hash text not null,
  text_key text not null,
  similarity integer not null default 0,
  idempotency_key text not null,
  created_at timestamptz not null,
  primary key (submission_id, version),
  unique (submission_id, idempotency_key)
);
create index same_text on submission_versions (text_key);
create index versions_in_time on submission_versions (created_at);
create trigger submission_versions_stay before update or delete on submission_versions for each row execute function refuse_change();

create table check_results (
  submission_id uuid not null,
  version integer not null,
  "check" text not null,
  check_version text not null,
  verdict text not null check (verdict in ('ok', 'warn', 'block')),
  score double precision,
  detail jsonb not null,
  at timestamptz not null,
  primary key (submission_id, version, "check", check_version),
  foreign key (submission_id, version) references submission_versions
);
create trigger check_results_stay before update or delete on check_results for each row execute function refuse_change();

-- Reviewing ------------------------------------------------------------------------------------------------------------

create table golds (
  submission_id uuid primary key references submissions,
  verdict text not null check (verdict in ('accept', 'fix', 'reject')),
  added_by uuid references users,
  retired_at timestamptz,
  created_at timestamptz not null
);

create table reviews (
  id uuid primary key,
  submission_id uuid not null,
  version integer not null,
  round integer not null,
  reviewer_id uuid not null references users,
  is_gold boolean not null default false,
  state text not null default 'assigned' check (state in ('assigned', 'submitted', 'skipped', 'expired', 'voided')),
  scores jsonb,
  verdict text check (verdict in ('accept', 'fix', 'reject')),
  flags text[] not null default '{}' check (flags <@ array['personal_data', 'copied', 'unsafe', 'ai_phrases']),
  comment text not null default '',
  skip_reason text,
  valid boolean,
  dwell_ms integer,
  assigned_at timestamptz not null,
  expires_at timestamptz not null,
  submitted_at timestamptz,
  unique (submission_id, version, round, reviewer_id),
  foreign key (submission_id, version) references submission_versions
);
create unique index one_review_at_a_time on reviews (reviewer_id) where state = 'assigned';
create index reviews_of_version on reviews (submission_id, version, round);
create index reviews_of_reviewer on reviews (reviewer_id, assigned_at);
create index reviews_to_expire on reviews (expires_at) where state = 'assigned';

create table adjudications (
  id uuid primary key,
  submission_id uuid not null,
  version integer not null,
  round integer not null,
  moderator_id uuid not null references users,
  verdict text not null check (verdict in ('accept', 'fix', 'reject')),
  quality integer,
  rationale text not null,
  at timestamptz not null,
  unique (submission_id, version, round),
  foreign key (submission_id, version) references submission_versions
);

-- Points and audit -----------------------------------------------------------------------------------------------------

create table chains (
  name text primary key,
  seq bigint not null,
  hash text not null
);

create table ledger_entries (
  campaign_id uuid not null references campaigns,
  seq bigint not null,
  user_id uuid not null references users,
  team_id uuid references teams,
  rules_version text not null references points_rules,
  kind text not null check (kind in ('record', 'review', 'question', 'reversal', 'audit')),
  subject text not null,
  delta_mp integer not null,
  factors jsonb not null,
  reverses bigint,
  event_id text not null unique,
  work_day date not null,
  at timestamptz not null,
  prev_hash text not null,
  hash text not null,
  primary key (campaign_id, seq),
  foreign key (campaign_id, reverses) references ledger_entries (campaign_id, seq)
);
create unique index reversed_once on ledger_entries (campaign_id, reverses) where reverses is not null;
create index ledger_of_user on ledger_entries (campaign_id, user_id, work_day);
create index ledger_of_subject on ledger_entries (campaign_id, subject);
create trigger ledger_entries_stay before update or delete on ledger_entries for each row execute function refuse_change();
create trigger ledger_entries_stay_all before truncate on ledger_entries for each statement execute function refuse_change();

create table board_snapshots (
  campaign_id uuid not null references campaigns,
  cutoff timestamptz not null,
  rows jsonb not null,
  ledger_seq bigint not null,
  ledger_hash text not null,
  primary key (campaign_id, cutoff)
);
create trigger board_snapshots_stay before update or delete on board_snapshots for each row execute function refuse_change();

create table awards (
  id uuid primary key,
  campaign_id uuid not null references campaigns,
  user_id uuid not null references users,
  state text not null check (state in ('candidate', 'audited', 'confirmed', 'delivered', 'forfeited')),
  place integer not null,
  prize text not null,
  points_mp integer not null,
  sample jsonb not null,
  reason text not null default '',
  created_at timestamptz not null,
  unique (campaign_id, user_id)
);

create table audit_votes (
  award_id uuid not null references awards,
  submission_id uuid not null references submissions,
  moderator_id uuid not null references users,
  vote text not null check (vote in ('pass', 'fail')),
  at timestamptz not null,
  primary key (award_id, submission_id, moderator_id)
);

create table reports (
  id uuid primary key,
  submission_id uuid not null references submissions,
  reporter_id uuid not null references users,
  reason text not null,
  state text not null default 'open' check (state in ('open', 'actioned', 'dismissed')),
  at timestamptz not null,
  answered_by uuid references users,
  unique (submission_id, reporter_id)
);

-- What went into which dataset -----------------------------------------------------------------------------------------

create table datasets (
  campaign_id uuid not null references campaigns,
  version integer not null,
  state text not null default 'sealed' check (state in ('sealed', 'revoked')),
  root text not null,
  records integer not null,
  train integer not null,
  held_out integer not null,
  licence text not null,
  ledger_hash text not null,
  created_by uuid references users,
  at timestamptz not null,
  primary key (campaign_id, version)
);

create table dataset_members (
  campaign_id uuid not null,
  dataset_version integer not null,
  submission_id uuid not null,
  version integer not null,
  content_hash text not null,
  primary key (campaign_id, dataset_version, submission_id),
  foreign key (campaign_id, dataset_version) references datasets,
  foreign key (submission_id, version) references submission_versions
);
create trigger dataset_members_stay before update or delete on dataset_members for each row execute function refuse_change();

create table events (
  seq bigint primary key,
  actor_id uuid references users,
  type text not null,
  subject text not null,
  payload jsonb not null,
  at timestamptz not null,
  prev_hash text not null,
  hash text not null
);
create trigger events_stay before update or delete on events for each row execute function refuse_change();
create trigger events_stay_all before truncate on events for each statement execute function refuse_change();
`;
