import { Duration } from 'aws-cdk-lib';

/**
 * From when on an alarm goes off. The dashboard draws the limits, and the texts of the alarms name them.
 *
 * Every share is watched as an excess: how many failures there were beyond so many percent of the requests. One limit
 * then holds at any traffic: with few requests it takes {@link ALLOWANCE} failures and one more, with many the share
 * decides, and there is no smallest number of requests under which nothing is seen.
 */

/** In percent of the requests: failures of any kind, of one agent or of all. */
export const ERROR_LIMIT_PERCENT = 5;
export const TIMEOUT_LIMIT_PERCENT = 2;
export const INCOMPLETE_LIMIT_PERCENT = 2;
/** In percent of the requests that reached Lambda. */
export const THROTTLE_LIMIT_PERCENT = 5;
export const CRASH_LIMIT_PERCENT = 5;
/** In percent of the attempts to connect. */
export const CONNECTION_LIMIT_PERCENT = 10;
/** In percent of the answers, or of the connections: slower than their limit. */
export const SLOW_LIMIT_PERCENT = 10;
/** So many failures are never a reason to tell anybody. */
export const ALLOWANCE = 3;

/**
 * What pages is counted over this window: it goes off with its fourth failure, however long the window is, and a short one
 * would with few requests be over, and over again, in the midst of an incident.
 */
export const PAGE_WINDOW = Duration.minutes(15);
/** What else there is, is measured over this one. */
export const WINDOW = Duration.minutes(5);

/** What is seldom asked fills no window of minutes: more than half of its requests within an hour. */
export const HOUR = Duration.hours(1);
export const HOUR_LIMIT_PERCENT = 50;
/** Two failures are never a reason; three of three are. */
export const HOUR_ALLOWANCE = 1;
/** With more requests the window of five minutes sees what there is to see. */
export const HOUR_MAX_REQUESTS = 60;

/**
 * An answer that waits for its first chunk is counted once a minute, from its second minute on. An agent hangs where
 * these counts exceed a quarter of its requests by more than twelve, which is what three hanging requests come to.
 */
export const HANG_LIMIT_PERCENT = 25;
export const HANG_ALLOWANCE = 12;
