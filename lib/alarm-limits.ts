import { Duration } from 'aws-cdk-lib';

/**
 * The limits at which alarms go off. The dashboard draws the limits, and the texts of the alarms name them.
 *
 * Every share is watched as an excess: the number of failures beyond a percentage of the requests. One limit then holds
 * at any traffic. With few requests, more than {@link ALLOWANCE} failures set an alarm off; with many requests the
 * percentage decides. There is no minimum number of requests below which failures go unseen.
 */

/** Failures of any kind, in percent of the requests for one agent or for all agents. */
export const ERROR_LIMIT_PERCENT = 5;
export const TIMEOUT_LIMIT_PERCENT = 2;
export const INCOMPLETE_LIMIT_PERCENT = 2;
/** Answers of which the session store missed something, in percent of the requests. */
export const STORE_LIMIT_PERCENT = 2;
/** Refused requests and crashes, each in percent of the requests that reached Lambda. */
export const THROTTLE_LIMIT_PERCENT = 5;
export const CRASH_LIMIT_PERCENT = 5;
/** Failed attempts to connect, in percent of all attempts. */
export const CONNECTION_LIMIT_PERCENT = 10;
/** Slow answers or slow connections, in percent of all answers or of all connections. */
export const SLOW_LIMIT_PERCENT = 10;
/** An excess of this many failures sets no alarm off; one more does. */
export const ALLOWANCE = 3;

/**
 * The window of most alarms that a single window sets off. Such an alarm goes off with its fourth failure, however long
 * the window is. With few requests, a shorter window would set the alarm off and end it again and again during one
 * incident.
 */
export const PAGE_WINDOW = Duration.minutes(15);
/** The window of the alarms that need two of three windows, and of the alarm on agents that hang. */
export const WINDOW = Duration.minutes(5);

/** The window for agents that are seldom asked: a window of minutes holds too few of their requests. */
export const HOUR = Duration.hours(1);
export const HOUR_LIMIT_PERCENT = 50;
/** With this allowance two failures never set the alarm off, and three failures of three requests do. */
export const HOUR_ALLOWANCE = 1;
/** With more requests than this, the shorter windows see the failures. */
export const HOUR_MAX_REQUESTS = 60;

/**
 * An answer that waits for its first chunk is counted once a minute, from its second minute on. The alarm goes off when
 * these counts exceed a quarter of the agent's requests by more than twelve, which three hanging requests reach.
 */
export const HANG_LIMIT_PERCENT = 25;
export const HANG_ALLOWANCE = 12;
