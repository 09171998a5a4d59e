/** What this studio has and lacks, each with the exact remedy. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from '../i18n/react.ts';
import { healthQuery } from '../api/manage.ts';
import { QueryState } from '../app/failure.tsx';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { Badge, Card, PageHead } from '../ui/layout.tsx';

const LOOKS = { ok: ['check', 'text-good', 'good'], limited: ['info', 'text-warn', 'warn'], missing: ['warning', 'text-bad', 'bad'] } as const;

export default function Health() {
  const { t } = useTranslation();
  const health = useQuery(healthQuery());
  return (
    <>
      <PageHead title={t('admin:page.health')} lead={t('admin:health.lead')} actions={<Button busy={health.isFetching} onClick={() => void health.refetch()}>{t('admin:health.again')}</Button>} />
      {!health.data ? (
        <QueryState error={health.error} retry={health.refetch} />
      ) : (
        <ul className="grid gap-3">
          {health.data.checks.map((check) => {
            const [icon, colour, tone] = LOOKS[check.status];
            return (
              <li key={check.name}>
                <Card className="flex items-start gap-4">
                  <Icon name={icon} size={24} className={colour} />
                  <div className="min-w-0 flex-1">
                    <h2 className="font-semibold">{check.name}</h2>
                    <p>{check.message}</p>
                    {check.remedy && <p className="mt-2 rounded-control bg-sunk px-3 py-2 font-mono text-sm">{check.remedy}</p>}
                  </div>
                  <Badge tone={tone}>{t(`admin:health.status.${check.status}`)}</Badge>
                </Card>
              </li>
            );
          })}
        </ul>
      )}
    </>
  );
}
