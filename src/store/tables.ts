/** The tables as the migrations make them. Written by `UPDATE_TABLES=1 npm test -- tests/store/tables.test.ts`; never edited by hand. */
import type { ColumnType, Generated } from 'kysely';

/** Written as JSON text, read as the value. */
export type Json = ColumnType<unknown, string, string>;

export interface AdjudicationsTable {
  id: string;
  submission_id: string;
  version: number;
  round: number;
  moderator_id: string;
  verdict: 'accept' | 'fix' | 'reject';
  quality: number | null;
  rationale: string;
  at: Date;
}

export interface AuditVotesTable {
  award_id: string;
  submission_id: string;
  moderator_id: string;
  vote: 'pass' | 'fail';
  at: Date;
  reason: Generated<string>;
}

export interface AwardsTable {
  id: string;
  campaign_id: string;
  user_id: string;
  state: 'candidate' | 'audited' | 'confirmed' | 'delivered' | 'forfeited';
  place: number | null;
  prize: string;
  points_mp: number;
  sample: Json;
  reason: Generated<string>;
  created_at: Date;
  seed: Generated<string>;
}

export interface BoardSnapshotsTable {
  campaign_id: string;
  cutoff: Date;
  rows: Json;
  ledger_seq: number;
  ledger_hash: string;
}

export interface CampaignsTable {
  id: string;
  slug: string;
  title: string;
  purpose: Generated<string>;
  organisation: Generated<string>;
  is_demo: Generated<boolean>;
  state: Generated<'draft' | 'open' | 'paused' | 'closing' | 'adjudicating' | 'frozen' | 'archived'>;
  time_zone: string;
  languages: string[];
  starts_at: Date;
  ends_at: Date;
  licence: string;
  rules_version: string;
  consent_version: Generated<number>;
  policy: Json;
  prizes: Json;
  created_by: string | null;
  created_at: Date;
  frozen_at: Date | null;
  resumed_at: Date | null;
}

export interface CategoriesTable {
  campaign_id: string;
  key: string;
  position: number;
  goal: number;
  guideline_version: Generated<number>;
}

export interface ChainsTable {
  name: string;
  seq: number;
  hash: string;
}

export interface CheckResultsTable {
  submission_id: string;
  version: number;
  check: string;
  check_version: string;
  verdict: 'ok' | 'warn' | 'block';
  score: number | null;
  detail: Json;
  at: Date;
}

export interface ConsentTextsTable {
  campaign_id: string;
  version: number;
  locale: string;
  body: string;
  text_hash: string;
}

export interface ConsentsTable {
  user_id: string;
  campaign_id: string;
  version: number;
  locale: string;
  text_hash: string;
  given_at: Date;
}

export interface DatasetMembersTable {
  campaign_id: string;
  dataset_version: number;
  submission_id: string;
  version: number;
  content_hash: string;
}

export interface DatasetsTable {
  campaign_id: string;
  version: number;
  state: Generated<'sealed' | 'revoked'>;
  root: string;
  records: number;
  train: number;
  held_out: number;
  licence: string;
  ledger_hash: string;
  created_by: string | null;
  at: Date;
  interim: Generated<boolean>;
}

export interface DraftVersionsTable {
  id: Generated<number>;
  draft_id: string;
  revision: number;
  kind: 'saved' | 'conflict';
  body: Json;
  device: string;
  at: Date;
}

export interface DraftsTable {
  id: string;
  user_id: string;
  campaign_id: string;
  task_id: string | null;
  category: string;
  language: string;
  revises: string | null;
  body: Json;
  revision: Generated<number>;
  device: Generated<string>;
  state: Generated<'open' | 'submitted' | 'discarded'>;
  created_at: Date;
  saved_at: Date;
}

export interface EventsTable {
  seq: number;
  actor_id: string | null;
  type: string;
  subject: string;
  payload: Json;
  at: Date;
  prev_hash: string;
  hash: string;
}

export interface GoldsTable {
  submission_id: string;
  verdict: 'accept' | 'fix' | 'reject';
  added_by: string | null;
  retired_at: Date | null;
  created_at: Date;
}

export interface GuidelinesTable {
  campaign_id: string;
  category: string;
  locale: string;
  version: number;
  body: Json;
}

export interface IdentitiesTable {
  issuer: string;
  subject: string;
  user_id: string;
  created_at: Date;
}

export interface InvitationsTable {
  id: string;
  token_hash: string;
  roles: ('owner' | 'admin' | 'moderator' | 'reviewer' | 'member')[];
  email: string | null;
  team_id: string | null;
  created_by: string | null;
  created_at: Date;
  expires_at: Date;
  used_at: Date | null;
  used_by: string | null;
}

export interface LeasesTable {
  id: string;
  task_id: string;
  user_id: string;
  state: Generated<'claimed' | 'submitted' | 'released' | 'expired'>;
  weight: number;
  claimed_at: Date;
  expires_at: Date;
  extended: Generated<number>;
}

export interface LedgerEntriesTable {
  campaign_id: string;
  seq: number;
  user_id: string;
  team_id: string | null;
  rules_version: string;
  kind: 'record' | 'review' | 'question' | 'reversal' | 'audit';
  subject: string;
  delta_mp: number;
  factors: Json;
  reverses: number | null;
  event_id: string;
  work_day: string;
  at: Date;
  prev_hash: string;
  hash: string;
}

export interface MembershipsTable {
  user_id: string;
  team_id: string;
  since: Date;
  until: Date | null;
}

export interface PassagesTable {
  id: string;
  campaign_id: string;
  source_id: string;
  text_raw: string;
  text: string;
  sha256: string;
  language: string;
  state: Generated<'proposed' | 'verified' | 'blocked'>;
  added_by: string | null;
  created_at: Date;
  words: number;
}

export interface PointsRulesTable {
  version: string;
  rules: Json;
  published_at: Date;
}

export interface ReportsTable {
  id: string;
  submission_id: string | null;
  reporter_id: string;
  reason: string;
  state: Generated<'open' | 'actioned' | 'dismissed'>;
  at: Date;
  answered_by: string | null;
  passage_id: string | null;
  task_id: string | null;
  answer: Generated<string>;
  answered_at: Date | null;
}

export interface ReviewsTable {
  id: string;
  submission_id: string;
  version: number;
  round: number;
  reviewer_id: string;
  is_gold: Generated<boolean>;
  state: Generated<'assigned' | 'submitted' | 'skipped' | 'expired' | 'voided'>;
  scores: Json | null;
  verdict: 'accept' | 'fix' | 'reject' | null;
  flags: Generated<('personal_data' | 'copied' | 'unsafe' | 'ai_phrases')[]>;
  comment: Generated<string>;
  skip_reason: string | null;
  valid: boolean | null;
  dwell_ms: number | null;
  assigned_at: Date;
  expires_at: Date;
  submitted_at: Date | null;
}

export interface SecretsTable {
  name: string;
  value: string;
  created_at: Date;
}

export interface SessionsTable {
  token_hash: string;
  user_id: string;
  created_at: Date;
  seen_at: Date;
  expires_at: Date;
}

export interface SignInsTable {
  token_hash: string;
  issuer: string;
  state: string;
  nonce: string;
  verifier: string;
  target: string;
  locale: string;
  invitation_hash: string | null;
  user_id: string | null;
  expires_at: Date;
}

export interface SourcesTable {
  id: string;
  kind: 'wikipedia' | 'organisation' | 'public_domain' | 'other';
  title: string;
  url: string | null;
  revision: string | null;
  author: string | null;
  licence: string;
  retrieved_on: string | null;
  created_at: Date;
}

export interface SubmissionVersionsTable {
  submission_id: string;
  version: number;
  instruction: string;
  context: string;
  response: string;
  language: string;
  passage_id: string | null;
  attestation: Json;
  telemetry: Json;
  consent_version: number;
  content_hash: string;
  text_key: string;
  similarity: Generated<number>;
  idempotency_key: string;
  created_at: Date;
  own_similarity: number | null;
}

export interface SubmissionsTable {
  id: string;
  campaign_id: string;
  category: string;
  author_id: string;
  team_id: string | null;
  task_id: string | null;
  draft_id: string | null;
  version: Generated<number>;
  state: 'submitted' | 'checking' | 'needs_fix' | 'quarantined' | 'in_review' | 'changes_requested' | 'accepted' | 'rejected' | 'appealed' | 'withdrawn' | 'retracted';
  weight: number;
  work_day: string;
  round: Generated<number>;
  quality: number | null;
  reviews_wanted: number;
  reviews_taken: Generated<number>;
  needs_decision: 'disagreement' | 'quarantined' | 'appeal' | null;
  appeal_reason: string | null;
  undone: Generated<boolean>;
  waiting_since: Date;
  split: 'train' | 'held_out' | null;
  idempotency_key: string;
  created_at: Date;
  decided_at: Date | null;
  lapsed: Generated<boolean>;
}

export interface TasksTable {
  id: string;
  campaign_id: string;
  category: string;
  kind: 'author' | 'answer';
  passage_id: string | null;
  asked_by: string | null;
  seed_instruction: string | null;
  language: string;
  state: Generated<'open' | 'done' | 'dropped'>;
  created_at: Date;
}

export interface TeamsTable {
  id: string;
  name: string;
  name_key: string;
  created_at: Date;
}

export interface ThrottlesTable {
  key: string;
  hits: number;
  until: Date;
}

export interface UsersTable {
  id: string;
  login: string;
  login_key: string;
  display_name: string;
  name_key: string;
  alias: string | null;
  alias_key: string | null;
  email: string | null;
  email_key: string | null;
  locale: Generated<string>;
  status: Generated<'active' | 'suspended' | 'erased'>;
  roles: ('owner' | 'admin' | 'moderator' | 'reviewer' | 'member')[];
  password_hash: string | null;
  board_visibility: Generated<'name' | 'alias' | 'hidden'>;
  stopped: Generated<boolean>;
  created_at: Date;
}

export interface Database {
  adjudications: AdjudicationsTable;
  audit_votes: AuditVotesTable;
  awards: AwardsTable;
  board_snapshots: BoardSnapshotsTable;
  campaigns: CampaignsTable;
  categories: CategoriesTable;
  chains: ChainsTable;
  check_results: CheckResultsTable;
  consent_texts: ConsentTextsTable;
  consents: ConsentsTable;
  dataset_members: DatasetMembersTable;
  datasets: DatasetsTable;
  draft_versions: DraftVersionsTable;
  drafts: DraftsTable;
  events: EventsTable;
  golds: GoldsTable;
  guidelines: GuidelinesTable;
  identities: IdentitiesTable;
  invitations: InvitationsTable;
  leases: LeasesTable;
  ledger_entries: LedgerEntriesTable;
  memberships: MembershipsTable;
  passages: PassagesTable;
  points_rules: PointsRulesTable;
  reports: ReportsTable;
  reviews: ReviewsTable;
  secrets: SecretsTable;
  sessions: SessionsTable;
  sign_ins: SignInsTable;
  sources: SourcesTable;
  submission_versions: SubmissionVersionsTable;
  submissions: SubmissionsTable;
  tasks: TasksTable;
  teams: TeamsTable;
  throttles: ThrottlesTable;
  users: UsersTable;
}
