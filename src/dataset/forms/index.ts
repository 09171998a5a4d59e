/** The forms by which imports recognise a file, the most telling first. */
import { messages, openAssistant, sharegpt } from './conversations.ts';
import { alpaca, dolly, preference, promptCompletion, seedTask } from './flat.ts';
import type { Form } from './form.ts';
import { own } from './own.ts';

export const FORMS: readonly Form[] = [own, openAssistant, messages, sharegpt, preference, seedTask, dolly, alpaca, promptCompletion];
