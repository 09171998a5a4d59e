/** Versions of records stay as they are, but for how they were typed: that is a person's, and can be taken away once. */
export const sql = `
create function refuse_change_but_typing() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.telemetry = '{}'::jsonb then
    old.telemetry := new.telemetry;
    if old is not distinct from new then
      return new;
    end if;
  end if;
  raise exception 'rows of % are never changed or removed', tg_table_name using errcode = 'restrict_violation';
end $$;

drop trigger submission_versions_stay on submission_versions;
create trigger submission_versions_stay before update or delete on submission_versions for each row execute function refuse_change_but_typing();
`;
