/** Keeps the newest text in view. A person who scrolls up is left alone, and has a button to come back. */
export interface Following {
  /** Called after everything that makes the text longer. */
  follow(): void;
  /** From now on, wherever the person is. */
  resume(): void;
}

/** So near to the end is at the end. */
const NEAR_PX = 48;

/** @param content what grows in the scroller; while it is empty there is nothing to follow */
export function followIn(
  scroller: HTMLElement,
  content: HTMLElement,
  toLatest: HTMLButtonElement,
): Following {
  let isFollowing = true;
  const isAtEnd = () => scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - NEAR_PX;
  const isEmpty = () => content.childElementCount === 0;
  const show = () => {
    toLatest.hidden = isEmpty() || isAtEnd();
  };
  const follow = () => {
    if (isFollowing && !isEmpty()) scroller.scrollTop = scroller.scrollHeight;
    show();
  };
  const resume = () => {
    isFollowing = true;
    follow();
  };
  scroller.addEventListener('scroll', () => {
    isFollowing = isAtEnd();
    show();
  });
  // A long prompt, or a phone's keyboard, takes room from below.
  new ResizeObserver(follow).observe(scroller);
  // What a person opens above the end pushes that out of view, and is what they want to see.
  new ResizeObserver(show).observe(content);
  toLatest.addEventListener('click', resume);
  return { follow, resume };
}
