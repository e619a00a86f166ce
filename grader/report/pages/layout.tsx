import type { ComponentChildren, JSX } from "preact";
import renderToString from "preact-render-to-string";
import type { Language } from "../../text.ts";
import { LANGUAGES, pageName } from "./files.ts";
import css from "./page.css" with { type: "text" };
import { PAGE_WORDS } from "./words.ts";

/**
 * Nothing is loaded or run, and of all styles only ours apply, whatever a submission makes a page quote:
 * https://www.w3.org/TR/CSP3/
 */
const STYLE_HASH = new Bun.CryptoHasher("sha256").update(css).digest("base64");
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'`;

interface PageProps {
  readonly language: Language;
  readonly title: string;
  /** A link to the page above, at the start. */
  readonly back?: JSX.Element;
  readonly children: ComponentChildren;
}

/** A page as the text of an HTML file. */
export function page(props: PageProps): string {
  return `<!doctype html>\n${renderToString(<Page {...props} />)}\n`;
}

function Page({ language, title, back, children }: PageProps) {
  return (
    <html lang={language}>
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content={POLICY} />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>{title}</title>
        {/* Our own file, which must stay as it was hashed. */}
        <style dangerouslySetInnerHTML={{ __html: css }} />
      </head>
      <body>
        <nav>
          {back}
          {LANGUAGES.filter((other) => other !== language).map((other) => (
            <a href={pageName(other)} hreflang={other} lang={other}>
              {PAGE_WORDS[other].language}
            </a>
          ))}
        </nav>
        <main>{children}</main>
      </body>
    </html>
  );
}
