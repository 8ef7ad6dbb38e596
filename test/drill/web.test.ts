import { testDrill } from './drill-suite.ts';

testDrill('web');
