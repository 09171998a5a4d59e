/**
 * Markdown of people: an allow-list of elements, no raw HTML, no pictures, links to http, https and mailto alone. Loaded only
 * where it is shown.
 */
import Markdown from 'react-markdown';
import rehypeSanitize, { defaultSchema } from 'rehype-sanitize';
import remarkGfm from 'remark-gfm';

const ELEMENTS = ['p', 'br', 'strong', 'em', 'del', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li', 'h3', 'h4', 'h5', 'h6', 'hr', 'a', 'table', 'thead', 'tbody', 'tr', 'th', 'td'];

const SCHEMA = {
  ...defaultSchema,
  tagNames: ELEMENTS,
  attributes: { a: ['href'], code: [['className', /^language-[\w-]{1,30}$/]], ol: ['start'] } as typeof defaultSchema.attributes,
  protocols: { href: ['http', 'https', 'mailto'] },
};

export default function MarkdownText({ text, lang }: { readonly text: string; readonly lang?: string }) {
  return (
    <div lang={lang} dir="auto" className="grid gap-3 leading-relaxed [&_a]:text-accent [&_a]:underline [&_blockquote]:border-l-4 [&_blockquote]:border-line [&_blockquote]:pl-4 [&_code]:rounded [&_code]:bg-sunk [&_code]:px-1 [&_code]:font-mono [&_code]:text-[0.9em] [&_h3]:font-semibold [&_h4]:font-semibold [&_ol]:list-decimal [&_ol]:pl-6 [&_pre]:overflow-x-auto [&_pre]:rounded-control [&_pre]:bg-sunk [&_pre]:p-3 [&_table]:w-full [&_td]:border-b [&_td]:border-line [&_td]:p-2 [&_th]:border-b [&_th]:border-line [&_th]:p-2 [&_th]:text-left [&_ul]:list-disc [&_ul]:pl-6">
      <Markdown
        remarkPlugins={[[remarkGfm, { singleTilde: false }]]}
        rehypePlugins={[[rehypeSanitize, SCHEMA]]}
        skipHtml
        components={{
          h1: 'h3',
          h2: 'h3',
          a: ({ href, children }) => (href ? <a href={href} rel="noopener noreferrer nofollow" target="_blank">{children}</a> : <>{children}</>),
        }}
      >
        {text}
      </Markdown>
    </div>
  );
}
