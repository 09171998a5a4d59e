/**
 * What language models say of themselves, and what copying from their pages leaves behind. No such phrase proves that a machine wrote the
 * text, and a machine's text need not have one: a person should look. Nothing here guesses at style.
 */

export interface BoilerplateFinding {
  /** `model`: says that it is one; `page`: left from a chat page; `manner`: begins or ends as models do, which people took over. */
  readonly kind: 'model' | 'page' | 'manner';
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** Words of a maker's kind of program, for the patterns below. */
const MODEL = String.raw`(?:(?:large |ai |generative )?language model|ai(?: (?:assistant|chatbot|model|system))?|artificial intelligence(?: (?:assistant|model|system))?|chatbot|virtual assistant)`;
const MODEL_RU = String.raw`(?:(?:большая |ии-)?языковая модель|ии(?:-модель|-ассистент|-помощник)?|искусственный интеллект|нейросеть|виртуальный (?:помощник|ассистент)|чат-бот)`;

const PHRASES: readonly (readonly [pattern: RegExp, reason: string, kind?: BoilerplateFinding['kind']])[] = [
  [new RegExp(String.raw`\b(?:as|being|since i am|because i am|since i'm|because i'm) an? ${MODEL}\b`, 'giu'), 'speaks as a model'],
  [new RegExp(String.raw`\bi(?:'m| am|’m) (?:just |only |simply |merely )?an? ${MODEL}\b`, 'giu'), 'speaks as a model'],
  [/\b(?:i(?:'m| am|’m) chatgpt|(?:i was |i am |i'm )?(?:developed|trained|created|made) by (?:openai|anthropic|google deepmind|meta ai))\b/giu, 'names the maker of a model'],
  [/\bmy (?:knowledge cut-?off|training data (?:only )?(?:goes|extends|ends|includes))\b|\b(?:knowledge cut-?off|as of my last (?:knowledge |training )?update|my last update in)\b/giu, 'speaks of its training'],
  [/\bi (?:do not|don't|don’t|cannot|can't|can’t) (?:have|possess|hold|experience) (?:any )?(?:personal (?:opinions|beliefs|experiences|feelings|preferences)|feelings or emotions|real-time (?:information|data|access)|access to real-time)\b/giu, 'speaks as a model'],
  [/\bi(?:'m| am|’m) (?:sorry|afraid),? but (?:as an ai|i (?:cannot|can't|can’t|am not able to|am unable to) (?:fulfill|fulfil|assist with|comply with|help with|provide|generate) (?:that|this|your|the) request)\b/giu, 'refuses as a model does'],
  [/\b(?:regenerate response|copy code|is this conversation helpful so far\?|new chat chatgpt|chatgpt can make mistakes)\b/giu, 'holds words of a chat page', 'page'],
  [/(?:turn\d+(?:search|view|news)\d+|【\d+†(?:source|[^】]{1,40})】|oaicite:\d+|contentReference\[oaicite)/gu, 'holds marks of a chat page', 'page'],
  [/\b(?:certainly|sure|of course)[!,.] (?:here(?:'s| is| are|’s)|i(?:'d| would|’d) be happy to|i can help)\b/giu, 'begins as a model does', 'manner'],
  [/\bi hope this (?:helps|email finds you well)[!.]? (?:let me know if|if you have any (?:other|further|more) questions)\b|\bis there anything else (?:i can|you(?:'d| would) like me to)\b/giu, 'ends as a model does', 'manner'],
  [new RegExp(String.raw`(?<!\p{L})(?:как|будучи|поскольку я|так как я|я(?: —| -|,)?(?: всего лишь| просто)?) ${MODEL_RU}(?!\p{L})`, 'giu'), 'speaks as a model'],
  [/(?<!\p{L})(?:у меня нет (?:личного мнения|личных предпочтений|чувств и эмоций|доступа к (?:интернету|актуальн))|мои данные (?:ограничены|актуальны)|на момент (?:моего )?последнего обновления|я был(?:а|о)? (?:обучен|создан|разработан)\p{L}* (?:компанией )?(?:openai|яндекс|сбер))/giu, 'speaks as a model'],
  [/\bals (?:ein |eine )?(?:ki|ki-(?:modell|sprachmodell|assistent|assistentin)|sprachmodell|künstliche intelligenz)\b(?= (?:kann|habe|bin|kenne|besitze|darf|möchte|verfüge|,))/giu, 'speaks as a model'],
  [/\ben tant (?:que|qu['’])\s?(?:modèle (?:de langage|linguistique)|(?:assistant|intelligence artificielle|ia)\b)/giu, 'speaks as a model'],
  [/\bcomo (?:un |una )?(?:modelo de lenguaje|inteligencia artificial|asistente (?:virtual|de ia)|ia)\b(?=,| no | solo )/giu, 'speaks as a model'],
  [/\bcomo (?:um |uma )?(?:modelo de linguagem|inteligência artificial|assistente virtual)\b/giu, 'speaks as a model'],
  [/\b(?:in quanto|come) (?:un )?(?:modello linguistico|modello di linguaggio|intelligenza artificiale)\b/giu, 'speaks as a model'],
  [/作为(?:一个|一名)?(?:人工智能|AI|大型?语言模型|语言模型)|(?:私は|AI)?(?:大規模)?言語モデルとして|AIアシスタントとして/gu, 'speaks as a model'],
];

/** Phrases in the order of their places. */
export function findBoilerplate(text: string): BoilerplateFinding[] {
  return PHRASES.flatMap(([pattern, reason, kind = 'model']) => Array.from(text.matchAll(pattern), ({ 0: match, index }) => ({ kind, from: index, to: index + match.length, reason }))).sort((a, b) => a.from - b.from);
}
