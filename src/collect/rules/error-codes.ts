/** What may be refused, and with which HTTP status. The words are the interface's, by code; a test asks both languages for each. */
export const ERROR_STATUS = {
  invalid_request: 400, not_found: 404, method_not_allowed: 405, too_large: 413, unsupported_media_type: 415, forbidden_origin: 403, wrong_host: 421, signed_out: 401, forbidden: 403, too_many_requests: 429,
  internal: 500, unavailable: 503,
  setup_done: 410, setup_first: 409, link_invalid: 410, wrong_password: 403, weak_password: 422, login_taken: 409, name_taken: 409, alias_taken: 409, email_taken: 409, last_owner: 409, suspended: 403,
  no_campaign: 409, campaign_exists: 409, campaign_closed: 409, state_move: 409, still_open: 409, consent_needed: 403, consent_changed: 409, bad_dates: 422, bad_time_zone: 422, bad_licence: 422, no_goal: 422,
  no_passage: 409, nothing_to_do: 409, pending_cap: 409, lease_gone: 409, draft_conflict: 409, draft_closed: 410, findings: 422, undo_too_late: 409, appeal_once: 409, open_questions: 409, question_taken: 409, report_answered: 409,
  review_gone: 410, review_faults: 422, resting: 403, skipped_enough: 409, own_record: 403, passage_licence: 422, passage_known: 409, nothing_accepted: 409, not_frozen: 409, prize_gate: 409, audit_open: 409, audited_already: 409,
  sign_on_failed: 403, sign_on_cancelled: 403, sign_on_unavailable: 424, sign_on_unverified: 403, sign_on_uninvited: 403, sign_on_taken: 409, sign_in_again: 403,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;
export const ERROR_CODES = Object.keys(ERROR_STATUS) as readonly ErrorCode[];
