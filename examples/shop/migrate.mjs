console.log('the tables are as they should be');
