/** Keeps the newest text in view. A person who scrolls up is left alone, and has a button to come back. */
export interface Following {
  /** Called after everything that makes the text longer. */
  follow(): void;
  /** From now on, wherever the person is. */
  resume(): void;
}

/** So near to the end is at the end. */
const NEAR_PX = 48;

/** @param isGrowing whether there is any newest text to come back to */
export function followIn(
  scroller: HTMLElement,
  toLatest: HTMLButtonElement,
  isGrowing: () => boolean,
): Following {
  let isFollowing = true;
  const show = () => {
    toLatest.hidden = isFollowing || !isGrowing();
  };
  const follow = () => {
    if (isFollowing) scroller.scrollTop = scroller.scrollHeight;
    show();
  };
  const resume = () => {
    isFollowing = true;
    follow();
  };
  scroller.addEventListener('scroll', () => {
    isFollowing = scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - NEAR_PX;
    show();
  });
  // A long prompt, or a phone's keyboard, takes room from below.
  new ResizeObserver(follow).observe(scroller);
  toLatest.addEventListener('click', resume);
  return { follow, resume };
}
