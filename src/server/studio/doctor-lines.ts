/** The lines that put a proxy right, in its own words. */

export type ProxyKind = 'nginx' | 'Caddy' | 'Apache';

/** By the Server header of an answer that came through it. */
export function proxyKind(server: string | undefined): ProxyKind | undefined {
  if (server === undefined) return undefined;
  return /nginx|openresty/i.test(server) ? 'nginx' : /caddy/i.test(server) ? 'Caddy' : /apache/i.test(server) ? 'Apache' : undefined;
}

export type Fault = 'upstream' | 'host' | 'host with port' | 'origin' | 'no client' | 'claimed client' | 'cookie' | 'buffered' | 'body' | 'headers' | 'tls';

/** Sources: nginx.org/en/docs/http/ngx_http_proxy_module.html, caddyserver.com/docs/caddyfile/directives/reverse_proxy, httpd.apache.org/docs/2.4/mod/mod_proxy.html. */
const LINES: Readonly<Record<Fault, Readonly<Record<ProxyKind, string>>>> = {
  upstream: { nginx: 'proxy_pass http://UPSTREAM;', Caddy: 'reverse_proxy UPSTREAM', Apache: 'ProxyPass / http://UPSTREAM/' },
  host: { nginx: 'proxy_set_header Host $host;', Caddy: 'leave out "header_up Host …"', Apache: 'ProxyPreserveHost On' },
  'host with port': { nginx: 'proxy_set_header Host $http_host;', Caddy: 'leave out "header_up Host …"', Apache: 'ProxyPreserveHost On' },
  origin: { nginx: 'leave out "proxy_set_header Origin …;"', Caddy: 'leave out "header_up … Origin"', Apache: 'leave out "RequestHeader … Origin"' },
  'no client': { nginx: 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;', Caddy: 'leave out "header_up -X-Forwarded-For"', Apache: 'ProxyAddHeaders On' },
  'claimed client': { nginx: 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;', Caddy: 'leave out "header_up X-Forwarded-For …"', Apache: 'ProxyAddHeaders On' },
  cookie: { nginx: 'leave out "proxy_cookie_…;" and "proxy_hide_header Set-Cookie;"', Caddy: 'leave out "header_down … Set-Cookie"', Apache: 'leave out "Header … Set-Cookie" and "ProxyPassReverseCookie…"' },
  buffered: { nginx: 'proxy_buffering off;   (without "proxy_ignore_headers X-Accel-Buffering;")', Caddy: 'flush_interval -1   (without "buffer_responses")', Apache: 'ProxyPass / http://UPSTREAM/ flushpackets=on' },
  body: { nginx: 'client_max_body_size 2m;', Caddy: 'request_body { max_size 2MB }', Apache: 'LimitRequestBody 2097152' },
  headers: { nginx: 'leave out "proxy_hide_header …;" and "add_header …;" of these', Caddy: 'leave out "header …" of these', Apache: 'leave out "Header …" of these' },
  tls: { nginx: 'listen 443 ssl;', Caddy: 'begin the site with its name alone, without http://', Apache: 'SSLEngine on' },
};

/** For the proxy that was seen; for each where none is known. `upstream`: host and port of the studio. */
export function proxyLine(fault: Fault, kind: ProxyKind | undefined, upstream: string): string {
  const of = (which: ProxyKind): string => `${which}: ${LINES[fault][which].replace('UPSTREAM', upstream)}`;
  return kind === undefined ? [of('nginx'), of('Caddy')].join('   ') : of(kind);
}
