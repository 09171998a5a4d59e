/** Takes a task and goes to its page. */
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { claimTask } from '../api/collect.ts';
import type { CategoryKey } from '../api/types.ts';
import { useTranslation } from '../i18n/react.ts';
import { useErrorText } from '../app/failure.tsx';
import { useSession } from '../app/session.tsx';
import { useToast } from '../ui/toast.tsx';

export function useClaim(): { claim: (category: CategoryKey, kind?: 'author' | 'answer') => void; busy: boolean } {
  const navigate = useNavigate();
  const { i18n } = useTranslation();
  const languages = useSession().campaign?.languages ?? [];
  const toast = useToast();
  const errorText = useErrorText();
  const { mutate, isPending } = useMutation({
    mutationFn: ({ category, kind }: { category: CategoryKey; kind: 'author' | 'answer' }) => claimTask(category, kind, languages.includes(i18n.language) ? i18n.language : undefined),
    onSuccess: ({ draft_id }) => void navigate({ to: '/write/$draftId', params: { draftId: draft_id } }),
    onError: (error) => toast({ text: errorText(error), kind: 'bad' }),
  });
  return { claim: (category, kind = 'author') => mutate({ category, kind }), busy: isPending };
}
