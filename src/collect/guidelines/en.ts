/** The guidelines in English. Own wording after the rules of databricks-dolly-15k; examples written for this project. */
import type { Guidelines } from './types.ts';

const HONEY = `Honey hardly ever spoils. When bees bring nectar home it is about three quarters water, and in that state it would ferment within days. The bees fan it with their
wings until less than a fifth of it is water. So little water is left that yeasts and bacteria which fall into honey lose their own water to it and die. Honey is also
about as acid as orange juice, and an enzyme that bees add to the nectar makes small amounts of hydrogen peroxide. A sealed jar can therefore be kept for many years. An
open one in a damp kitchen draws water from the air, and then it can ferment after all. Crystals are no sign of age: they are sugar that has left the solution, and gentle
warmth dissolves them again.`.replaceAll('\n', ' ');

export const EN: Guidelines = {
  open_qa: {
    summary: 'Ask a question about the world that many people could answer, and answer it correctly from what you know, or after one look at an encyclopedia.',
    do: ['Ask for something that has an answer, and one that will still be true next year.', 'Answer in whole sentences; two or three are often enough.', 'Add the one fact that makes the answer useful: a year, a reason, a number.'],
    dont: ['No questions that yes or no settles, and none about private persons.', 'Nothing copied from a web page, and nothing from a text generator.'],
    good: [{ instruction: 'Why does the sky look blue on a clear day?', context: '', response: 'Air scatters short waves of light far more than long ones. Blue light from the sun therefore reaches our eyes from every direction of the sky, while most of the red light goes straight on.', why: 'A clear question, a correct answer, and the reason is part of it.' }],
    bad: [{ instruction: 'Is Paris nice in the spring?', context: '', response: 'Yes, it is very nice there in the spring I think.', why: 'Yes is all one can say, it is a matter of taste, and nobody learns anything.' }],
  },
  general_qa: {
    summary: 'Ask for an explanation, a comparison, advice or an opinion with reasons, and answer it as you would answer a colleague.',
    do: ['Ask something that needs more than one fact: why, how, what speaks for and against.', 'Give reasons, and say where it depends on the case.', 'Write so that somebody outside of your field can follow.'],
    dont: ['No advice that could hurt somebody who follows it: no diagnoses, no doses, no legal verdicts.', 'No empty phrases: every sentence says something.'],
    good: [{ instruction: 'Should a small team hold a short meeting every morning?', context: '', response: 'It helps if people wait for each other during the day: ten minutes in the morning then save an hour of messages. It does not help if everybody works on something of their own; a written line a day is enough for them. Try it for three weeks, keep it under a quarter of an hour, and ask the quiet ones whether they would miss it.', why: 'It takes a position, gives reasons for both sides, and one could act on it.' }],
    bad: [{ instruction: 'How do I become successful?', context: '', response: 'There are many ways to become successful. It is important to note that success means something different for everyone. You should work hard, be consistent, stay positive, and never give up on your dreams.', why: 'Too wide to be answered, and the answer would fit any question.' }],
  },
  closed_qa: {
    summary: 'Ask a question about the passage that the passage alone answers, and answer it from the passage.',
    do: ['Read the whole passage first; ask about more than its first line.', 'Questions that put two places of the passage together are the best ones.', 'Answer as briefly as the question allows, in your own words.'],
    dont: ['No question that needs knowledge from elsewhere, or that one could answer without the passage.', 'Do not turn a sentence of the passage into a question by adding a question mark.'],
    good: [{ instruction: 'Why might honey ferment in an open jar although it keeps for years in a sealed one?', context: HONEY, response: 'In damp air the open honey takes up water. Its dryness is what kills yeasts, so with more water in it they can live and ferment it.', why: 'It connects the beginning and the end of the passage, and everything needed is there.' }],
    bad: [{ instruction: 'Which country produces the most honey?', context: HONEY, response: 'China produces the most honey in the world.', why: 'It may be true, but the passage says nothing about it.' }],
  },
  information_extraction: {
    summary: 'Ask for certain pieces of information in the passage, and list exactly those.',
    do: ['Say what you want and in which form: a list, a table of names and years, JSON.', 'Give every piece that fits, each once.', 'Keep names, numbers and units as the passage has them.'],
    dont: ['Nothing that is not in the passage, however true it is.', 'No opinions and no summaries: only what was asked for.'],
    good: [{ instruction: 'List everything in the passage that keeps honey from spoiling, one item a line.', context: HONEY, response: '- less than a fifth of it is water\n- it is about as acid as orange juice\n- hydrogen peroxide from an enzyme of the bees', why: 'Clear what is wanted and how; all three are there, and nothing else.' }],
    bad: [{ instruction: 'Extract the information from this text, please.', context: HONEY, response: 'Honey, bees, water, it was found in the tombs of pharaohs', why: 'Nobody knows which information; and the pharaohs are not in the passage.' }],
  },
  summarization: {
    summary: 'Say in your own words what the passage says, in a fraction of its length, leaving out what matters least.',
    do: ['Say in the task how long, for whom, or in which form: three sentences, for a child, as bullet points.', 'Begin with the main thing, not with the first thing.', 'Close the passage while you write, then compare.'],
    dont: ['No whole phrases of the passage: more than twelve of its words in a row are refused.', 'Nothing that the passage does not say, and no opinion on it.'],
    good: [{ instruction: 'Explain in two sentences why honey keeps so long.', context: HONEY, response: 'Bees dry nectar until microbes cannot live in it, and its acid and a trace of peroxide do the rest. Only an open jar in damp air may still go off, because it takes up water again.', why: 'Short, complete, in other words than the passage, and as long as the task says.' }],
    bad: [{ instruction: 'Summarise this passage about honey.', context: HONEY, response: 'Honey hardly ever spoils. When bees bring nectar home it is about three quarters water, and in that state it would ferment within days. Bees are wonderful.', why: 'The beginning of the passage copied, the rest left out, and an opinion at the end.' }],
  },
  brainstorming: {
    summary: 'Ask for ideas, and give a list of different ones that somebody could really use.',
    do: ['Set a frame: for whom, how many, how much money or time there is.', 'At least three ideas, each of another kind.', 'A few words on each: why, or how.'],
    dont: ['Not one idea in five versions.', 'No list that one would find first in any search.'],
    good: [{ instruction: 'Give me five ideas for a farewell present under 30 euros for a colleague who moves to the seaside.', context: '', response: '- a tide clock for the kitchen\n- a map of the coast, signed by everybody where they would like to visit\n- seeds of plants that bear salt and wind\n- a thermos flask for walks on the beach in winter\n- a box of the tea that only this office drinks', why: 'The frame is clear, the ideas differ, and each has to do with the person.' }],
    bad: [{ instruction: 'Give me some good ideas for presents.', context: '', response: '1. A book about history, 2. a book about art, 3. a book about cooking, 4. another good book.', why: 'No frame, and really a single idea.' }],
  },
  classification: {
    summary: 'Give a few things and the classes to sort them into, and sort them.',
    do: ['Put everything into the task: the things, and the names of the classes.', 'Choose classes that can be told apart with a little thought.', 'Give every thing a class, each exactly once.'],
    dont: ['No classes that are a matter of taste.', 'Not the same three classes of animals again: the more unusual, the better.'],
    good: [{ instruction: 'Sort these by whether they are played with the breath, with a bow or by striking: cello, oboe, marimba, viola, bassoon, triangle', context: '', response: 'Breath: oboe, bassoon\nBow: cello, viola\nStriking: marimba, triangle', why: 'The classes are named in the task, they are clear, and every instrument is there once.' }],
    bad: [{ instruction: 'Which of these foods are good and which are bad: pizza, salad, noodles, carrots, cheese, lemonade, herring', context: '', response: 'Good: pizza, cheese, noodles\nBad: salad, carrots', why: 'Good and bad are taste, and two things are missing.' }],
  },
  creative_writing: {
    summary: 'Ask for a small text with constraints, the more of them the better, and write it yourself.',
    do: ['Give at least two constraints: form, length, characters, place, mood, a word that must occur.', 'Keep all of them; read it aloud once.', 'Write what only you would write: a detail that you have seen.'],
    dont: ['Nothing that you found somewhere, not even a line of a song.', 'No text from a generator: reviewers and your colleagues will notice.'],
    good: [{ instruction: 'Write a note of about sixty words from an office plant to the people who water it, polite but with a complaint about coffee.', context: '', response: 'Dear third floor, thank you for the water. It came four times last week, which I count as affection. May I raise one matter? On Tuesday somebody gave me the rest of an espresso. I have not slept since. My leaves now lean towards the emergency exit. Rain water would be lovely, at room temperature, without milk. Yours, still green, the fern by the copier.', why: 'Form, length, voice, mood and subject were set, and all are kept.' }],
    bad: [{ instruction: 'Write a nice poem about the sea, any length you like', context: '', response: 'The sea is big, the sea is blue, the sea is deep and lovely too. The waves go up, the waves go down, the waves they never make a sound. The sea is big, the sea is blue, I love the sea and so do you. The end.', why: 'No constraint to keep; and it says the same line again and again.' }],
  },
};
