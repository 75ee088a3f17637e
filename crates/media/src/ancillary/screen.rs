//! A small screen of letters: rows, a pen, scrolling.

/// Rows of letters, and where the next one goes.
#[derive(Debug, Clone)]
pub struct Screen {
    rows: Vec<Vec<char>>,
    columns: usize,
    row: usize,
    column: usize,
}

impl Screen {
    /// An empty one.
    pub fn new(rows: usize, columns: usize) -> Screen {
        Screen { rows: vec![Vec::new(); rows.max(1)], columns: columns.max(1), row: 0, column: 0 }
    }

    /// Whether it has this size.
    pub fn is_of(&self, rows: usize, columns: usize) -> bool {
        self.rows.len() == rows && self.columns == columns
    }

    /// Writes a letter, and goes on; at the end of the row the last letter is replaced.
    pub fn put(&mut self, letter: char) {
        let column = self.column.min(self.columns - 1);
        if let Some(row) = self.rows.get_mut(self.row) {
            if row.len() <= column {
                row.resize(column + 1, ' ');
            }
            if let Some(slot) = row.get_mut(column) {
                *slot = letter;
            }
        }
        self.column = column + 1;
    }

    /// Goes back, and takes away what is there.
    pub fn back(&mut self) {
        self.column = self.column.min(self.columns).saturating_sub(1);
        self.clear_to_end();
    }

    /// Goes to a place.
    pub fn go(&mut self, row: usize, column: usize) {
        self.row = row.min(self.rows.len() - 1);
        self.column(column);
    }

    /// Goes to a column of the row.
    pub fn column(&mut self, column: usize) {
        self.column = column.min(self.columns - 1);
    }

    /// Leaves some columns out.
    pub fn move_right(&mut self, columns: usize) {
        self.column(self.column + columns);
    }

    /// To the begin of the next row; the rows move up where there is none.
    pub fn new_line(&mut self) {
        if self.row + 1 < self.rows.len() {
            self.row += 1;
        } else {
            self.rows.rotate_left(1);
            if let Some(last) = self.rows.last_mut() {
                last.clear();
            }
        }
        self.column = 0;
    }

    /// Moves all up by one row, and keeps the last `kept`.
    pub fn roll(&mut self, kept: usize) {
        self.row = self.rows.len() - 1;
        self.new_line();
        let gone = self.rows.len().saturating_sub(kept);
        self.rows.iter_mut().take(gone).for_each(Vec::clear);
    }

    /// Empties the row from here on.
    pub fn clear_to_end(&mut self) {
        let column = self.column;
        if let Some(row) = self.rows.get_mut(self.row) {
            row.truncate(column);
        }
    }

    /// Empties all, and goes to the begin.
    pub fn clear(&mut self) {
        self.rows.iter_mut().for_each(Vec::clear);
        self.column = 0;
    }

    /// The rows that are not empty, without blanks around them.
    pub fn text(&self) -> String {
        let rows = self.rows.iter().map(|row| row.iter().collect::<String>());
        let rows: Vec<String> = rows.map(|row| row.trim().to_owned()).filter(|row| !row.is_empty()).collect();
        rows.join("\n")
    }
}
