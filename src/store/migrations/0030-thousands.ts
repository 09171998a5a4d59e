/**
 * What thousands of people need: indexes for what every claim, submission and board asks, and a passage's words counted once. Those of
 * passages that are there already are counted by spaces.
 */
export const sql = `
alter table passages add column words integer not null default 0;
update passages set words = cardinality(regexp_split_to_array(btrim(text, E' \\n\\t'), E'\\\\s+'));
alter table passages alter column words drop default;

create index leases_of_task on leases (task_id, user_id);
create index all_leases_of_user on leases (user_id);
create index tasks_of_passage on tasks (campaign_id, passage_id) where passage_id is not null;
create index members_of_team on memberships (team_id, user_id) where until is null;
create index versions_by_key on submission_versions (idempotency_key);
`;
