/** The writing page: passage or question left, form right; the text is safe whatever happens, and says so. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useTranslation } from '../i18n/react.ts';
import { draftQuery } from '../api/collect.ts';
import { ApiError } from '../api/client.ts';
import { QueryState } from '../app/failure.tsx';
import { BackLink, ButtonLink } from '../ui/button.tsx';
import { Empty, PageHead } from '../ui/layout.tsx';
import { Editor } from '../write/editor.tsx';

const route = getRouteApi('/inside/write/$draftId');

export default function Write() {
  const { t } = useTranslation();
  const { draftId } = route.useParams();
  const client = useQueryClient();
  const draft = useQuery(draftQuery(draftId));
  const back = <BackLink to="/write">{t('write.back')}</BackLink>;
  if (draft.error instanceof ApiError && draft.error.status === 404) {
    return (
      <>
        <PageHead title={t('write.title')} />
        <Empty icon="pen" title={t('write.gone')} actions={<ButtonLink to="/write" kind="primary">{t('home.other')}</ButtonLink>}>{t('write.goneText')}</Empty>
      </>
    );
  }
  if (!draft.data) {
    return (
      <>
        <PageHead title={t('write.title')} above={back} />
        <QueryState error={draft.error} retry={draft.refetch} />
      </>
    );
  }
  return <Editor key={draftId} view={draft.data} above={back} onChanged={() => void client.invalidateQueries({ queryKey: ['home'] })} />;
}
