import { suite } from '../../jest.config.js';

export default suite('readers');
