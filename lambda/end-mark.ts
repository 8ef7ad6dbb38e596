/** The mark that ends the answers of many agents, as OpenAI's. Others send it after the end of their framework. */
export const END_MARK = '[DONE]';

const ALONE = /^(?:data: ?)?\[DONE\]\s*$/;
const MAX_LENGTH = 20;
const BRACKET = 0x5b;
const LETTER_D = 0x64;

/** Whether a message is only the mark, bare or as a server-sent event. The first test is fast, as few messages are. */
export function isEndMark(message: Buffer): boolean {
  const [first] = message;
  if (message.length > MAX_LENGTH || (first !== BRACKET && first !== LETTER_D)) return false;
  return message.includes(BRACKET) && ALONE.test(message.toString());
}
