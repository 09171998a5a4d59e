/** Reports of passages and questions, reasons of audit votes, places that are lost again, records that lapse, similarity to one's own, interim seals. */
export const sql = `
alter table reports alter column submission_id drop not null;
alter table reports add column passage_id uuid references passages;
alter table reports add column task_id uuid references tasks;
alter table reports add column answer text not null default '';
alter table reports add column answered_at timestamptz;
alter table reports add constraint reports_of_one_thing check (num_nonnulls(submission_id, passage_id, task_id) = 1);
create unique index one_report_of_a_passage on reports (passage_id, reporter_id) where passage_id is not null;
create unique index one_report_of_a_question on reports (task_id, reporter_id) where task_id is not null;
create index open_reports on reports (at) where state = 'open';

create index questions_of_asker on tasks (asked_by, campaign_id) where kind = 'answer';

alter table audit_votes add column reason text not null default '';
create index audit_votes_of_record on audit_votes (submission_id);
-- Null: at present no prize for this candidate.
alter table awards alter column place drop not null;
-- The hash of the ledger's head by which samples and ties were drawn.
alter table awards add column seed text not null default '';

-- Nobody answered what reviewers had asked for.
alter table submissions add column lapsed boolean not null default false;

-- In thousandths, to the author's most similar earlier record; null: not measured apart.
alter table submission_versions add column own_similarity integer;

-- When it last went on after a pause: until then nobody could answer.
alter table campaigns add column resumed_at timestamptz;

-- Sealed while the campaign still ran.
alter table datasets add column interim boolean not null default false;
`;
