/** Passages of the demo campaign: plain facts in our own words, given away under CC0-1.0. */
export interface DemoPassage {
  readonly key: string;
  readonly title: string;
  readonly language: 'en' | 'ru';
  readonly licence: 'CC0-1.0';
  readonly author: string;
  readonly text: string;
}

const passage = (key: string, language: 'en' | 'ru', title: string, text: string): DemoPassage => ({ key, title, language, licence: 'CC0-1.0', author: 'Roslin', text: text.replaceAll('\n', ' ') });

export const DEMO_PASSAGES: readonly DemoPassage[] = [
  passage('tides', 'en', 'Why the sea rises twice a day', `The Moon pulls at the whole Earth, but not everywhere alike: the side that faces it is pulled a little more than the middle, and the far side a
little less. Water can follow this difference, so the sea swells on both sides, towards the Moon and away from it. As the Earth turns once a day beneath the two swells, most
coasts have two high tides and two low ones. Because the Moon moves on in its orbit meanwhile, each tide comes about fifty minutes later than the day before. The Sun does the
same with less than half the force. When Sun, Moon and Earth stand in line, at new and full moon, the effects add up to spring tides; at half moon they partly cancel. How high
the water really climbs depends on the coast: in the Bay of Fundy in Canada it can rise by sixteen metres, in the Baltic Sea by a few centimetres.`),
  passage('sourdough', 'en', 'What lives in a sourdough', `A sourdough is flour and water in which wild yeasts and bacteria live together. If the mixture is left in a warm place, microbes that came with the grain
begin to grow; after about a week of regular feeding with fresh flour a stable company remains. The yeasts turn sugar into alcohol and carbon dioxide, and the gas makes the
dough rise. The bacteria make lactic and acetic acid, which give the bread its sour taste, slow down mould, and make minerals of the grain easier to digest. Warm and wet doughs
become milder, because lactic acid prevails; cool and firm ones get the sharper acetic acid. Rye bread needs the acid for another reason: it curbs an enzyme that would
otherwise break down the starch in the oven and leave the crumb sticky. A starter that is fed now and then can be kept for decades.`),
  passage('octopus', 'en', 'An animal with nine brains', `An octopus has about five hundred million nerve cells, as many as a dog has in its cerebral cortex, but only a third of them are in its head. The rest is spread over the eight arms, and
each arm can taste, feel and grasp to some degree without asking the brain. The animal has three hearts: two push blood through the gills, one through the rest of the body.
Its blood is blue, because it carries oxygen with copper instead of iron. An octopus changes colour in a fraction of a second by stretching tiny bags of pigment in its
skin, although most kinds seem to be colour-blind. It has no bones, so a large one can pass through any hole that its beak fits through. Most live for one or two years only.
The mother stops eating while she guards her eggs, and dies when they have hatched.`),
  passage('bicycle', 'en', 'From the running machine to the bicycle', `In 1817 the forester Karl von Drais showed a wooden machine in Mannheim on which one sat between two wheels and pushed with the feet. It had a front
wheel that could be steered, but no pedals. Pedals came in the 1860s in Paris, fixed to the front wheel, so that a larger wheel went further at each turn. This led to the high
bicycle of the 1870s, which was fast and dangerous: whoever braked hard flew over the handlebar. In 1885 John Kemp Starley of Coventry sold a machine with two wheels of nearly
the same size and a chain to the rear one, the safety bicycle, and its shape has hardly changed since. Three years later John Boyd Dunlop in Belfast had a patent on tyres
filled with air, which he had first made for his son's tricycle. In the 1890s the bicycle became cheap enough for workers, and gave many women a freedom to travel that they had not had.`),
  passage('coffee', 'en', 'How a coffee cherry becomes coffee', `Coffee is the seed of a fruit. The cherries of the coffee tree ripen slowly and not all at once, so in the mountains they are still picked by hand. Each
usually holds two seeds, flat side to flat side. In the dry process whole cherries lie in the sun for two to four weeks, and the flesh is removed when it has become hard; this
gives sweet and fruity coffees. In the washed process the flesh comes off first, and the sticky rest is loosened by fermentation in water for a day or two; the taste becomes
clearer and more acid, but much water is needed. The dried green beans keep for about a year. Only roasting at around two hundred degrees makes them brown: sugars and proteins
react with each other, hundreds of scents appear, the bean loses up to a fifth of its weight and nearly doubles in size. Ground coffee loses most of its scent within days.`),
  passage('lighthouse', 'en', 'The rock that took three lighthouses', `Twenty kilometres off Plymouth lie the Eddystone rocks, which the tide covers twice a day. Henry Winstanley built the first lighthouse on them, lit in
1698. He was so sure of it that he wished to be there in the greatest storm that ever blew; the storm of November 1703 took the tower, and him with it. The second, of oak
around a core of stone, stood from 1709 until it burnt down in 1755. John Smeaton then built a tower shaped like the trunk of a tree, of granite blocks that
were cut to lock into each other, and found a lime that hardens under water; many count this as the beginning of modern cement. It was lit in 1759 and never failed, but after
more than a century the sea had worn away the rock beneath it. The fourth tower, by James Douglass, has stood beside it since 1882. Smeaton's upper part was moved to
Plymouth, where it can be visited.`),
  passage('baikal', 'ru', 'Самое глубокое озеро', `Байкал — самое глубокое озеро Земли: до его дна 1642 метра. Он лежит в трещине земной коры, которая расходится примерно на два сантиметра в год, и ему
около двадцати пяти миллионов лет, тогда как большинство озёр живёт не дольше пятнадцати тысяч. В Байкале примерно пятая часть всей жидкой пресной воды на поверхности
суши. В озеро впадает больше трёхсот рек, а вытекает одна Ангара. Вода очень прозрачна: летом белый диск бывает виден на глубине сорока метров. За это отвечает маленький
рачок эпишура, который процеживает воду. Больше половины видов животных озера нигде больше не встречается; среди них байкальская нерпа — тюлень, живущий только в
пресной воде. Как её предки попали в озеро, удалённое от моря на тысячи километров, до сих пор спорят. С января по май Байкал покрыт льдом, по которому
прокладывают дорогу.`),
  passage('tea', 'ru', 'Один куст, разные чаи', `Зелёный, чёрный и белый чай делают из листьев одного и того же растения — камелии китайской. Разница в том, что происходит с листом после сбора. Если его сразу
нагреть, ферменты разрушаются, лист остаётся зелёным, и получается зелёный чай. Если лист сначала завялить, скрутить и оставить на воздухе, ферменты соединяют вещества листа
с кислородом: он темнеет, вкус становится плотнее, и выходит чёрный чай. Улун останавливают на полпути. Белый чай почти не трогают: молодые почки только вялят и
сушат. Кофеина в сухом чайном листе обычно больше, чем в кофе, но на чашку идёт меньше листа, и напиток получается слабее. Вода для зелёного чая не должна кипеть: около
восьмидесяти градусов достаточно, иначе он станет горьким. Чёрный чай, наоборот, заваривают кипятком. Травяные настои чаем называют лишь по привычке.`),
  passage('elements', 'ru', 'Таблица с пустыми местами', `В 1869 году Дмитрий Менделеев расположил известные тогда шестьдесят три элемента по атомному весу и заметил, что свойства повторяются. Там, где порядок нарушался, он
доверял свойствам больше, чем весу, а где подходящего элемента не было, оставил пустое место. Для трёх таких мест он предсказал вес, плотность и соединения. В 1875 году
нашли галлий, в 1879 — скандий, в 1886 — германий, и предсказания оказались почти точны. Плотность галлия сначала измерили неверно: Менделеев написал открывателю, что она
должна быть больше, и повторное измерение это подтвердило. Благородных газов он не предвидел: их открыли в девяностых годах, и для них понадобился новый столбец. Почему
свойства повторяются, стало ясно лишь в двадцатом веке: порядок задаёт не вес, а заряд ядра, и сходство происходит от внешних электронов.`),
];
