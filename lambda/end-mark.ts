/** What ends the answers of many agents, by OpenAI's example; others send it behind the end that their framework has. */
export const END_MARK = '[DONE]';

const ALONE = /^(?:data: ?)?\[DONE\]\s*$/;
const MAX_LENGTH = 20;
const BRACKET = 0x5b;
const LETTER_D = 0x64;

/** Whether a message is nothing but the mark, as it is or as a server-sent event. Nearly every message is none. */
export function isEndMark(message: Buffer): boolean {
  const [first] = message;
  if (message.length > MAX_LENGTH || (first !== BRACKET && first !== LETTER_D)) return false;
  return message.includes(BRACKET) && ALONE.test(message.toString());
}
