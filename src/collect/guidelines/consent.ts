/**
 * The consent text that a campaign begins with, in both languages. An organisation's lawyers will want their own: whoever runs the
 * campaign can change it before it opens, and each version is kept with who agreed to it. Not legal advice.
 */
import type { Locale } from './types.ts';

/** `{organisation}` and `{licence}` are filled in when the campaign is made; the result is what people agree to, and what is hashed. */
export const CONSENT: Readonly<Record<Locale, string>> = {
  en: `What I write here becomes part of a dataset of {organisation}, with which a language model is trained.

1. I write myself. I do not copy from the web, from books or from colleagues, and I do not use a text generator. Passages that are given to me keep their own source and licence.
2. What I write belongs to {organisation}, which may change it, publish it under {licence}, and train models with it, without limit of time. My name does not appear: records carry a pseudonym.
3. I write nothing confidential, and no personal data of others or of my own.
4. Other participants review what I write without being told whose it is. Points, and prizes if there are any, follow the published rules of the campaign.
5. Taking part is voluntary, and nobody has a disadvantage at work from not taking part. I may stop at any time, and hide my name on the boards.
6. I may withdraw any record of mine. It is then missing from the next version of the dataset, and its points are taken back. Versions that were handed out before still hold it, and so does a model that was trained on it, until it is trained anew.
7. I may see and export what is stored about me, and have it erased. What stays is the points ledger under a pseudonym.`,
  ru: `То, что я здесь пишу, становится частью набора данных организации {organisation}, на котором обучают языковую модель.

1. Я пишу сам(а). Я не копирую из сети, из книг и у коллег и не пользуюсь генераторами текста. Данные мне отрывки сохраняют свой источник и свою лицензию.
2. Написанное мной принадлежит организации {organisation}: она может бессрочно изменять его, публиковать по лицензии {licence} и обучать на нём модели. Моё имя не указывается: записи подписаны псевдонимом.
3. Я не пишу ничего конфиденциального и никаких персональных данных, ни чужих, ни своих.
4. Другие участники рецензируют мои записи, не зная, чьи они. Баллы и призы, если они есть, определяются опубликованными правилами кампании.
5. Участие добровольно, отказ никак не вредит по работе. Я могу прекратить в любой момент и скрыть своё имя в таблицах.
6. Я могу отозвать любую свою запись. Тогда её не будет в следующей версии набора, а баллы за неё снимаются. В уже выданных версиях она остаётся, как и в модели, обученной на ней, пока модель не обучат заново.
7. Я могу посмотреть и выгрузить всё, что обо мне хранится, и потребовать удаления. Останется только журнал баллов под псевдонимом.`,
};

export const fillConsent = (text: string, values: { readonly organisation: string; readonly licence: string }): string =>
  text.replaceAll('{organisation}', () => values.organisation).replaceAll('{licence}', () => values.licence);
